"""The calibration, the bins of score and the counts, compared with direct computations."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from driftline.engine.evidence.by_problem.binary_evidence import FittedBinaryEvidence
from driftline.engine.evidence.by_problem.binary_fit import fit_evidence
from driftline.engine.evidence.metrics.bin_metrics import metrics_of
from driftline.engine.evidence.no_evidence import NoEvidence, too_few_chunks
from driftline.engine.evidence.scores.score_bins import BINS
from driftline.engine.evidence.scores.score_grid import ScoreGrid
from driftline.engine.evidence.scores.spline_calibration import SplineCalibration
from driftline.engine.performance.binary.rows import MISSING, BinaryRows
from tests.unit.engine.evidence.evidence_builders import CUT, SCORES, reference, rows


def binary_rows(scores: np.ndarray, predictions: np.ndarray, labels: np.ndarray) -> BinaryRows:
    """Return one count for each row; NaN labels are missing."""
    order = np.argsort(scores, kind="stable")
    codes = [np.where(np.isnan(part), MISSING, part).astype(np.int64)[order] for part in (predictions, labels)]
    return BinaryRows(scores[order], codes[0], codes[1], np.ones(len(scores), dtype=np.int64))


def test_the_calibration_is_the_penalized_maximum_likelihood() -> None:
    """Newton's solution has the loss that a general optimizer finds on the same natural spline."""
    random = np.random.default_rng(3)
    places = np.sort(random.normal(-1.5, 1.2, 400))
    positives = (random.random(400) < expit(0.5 + 1.3 * places - 0.2 * places**2)).astype(float)
    fitted = SplineCalibration.fit(places, np.ones(400), positives, 9.2)
    knots = fitted.knots
    assert np.allclose(knots, np.sort(places)[[19, 139, 259, 379]])

    def curve(values: np.ndarray) -> np.ndarray:
        """Interpolate a natural cubic spline through values at the knots, linear beyond them."""
        spline = CubicSpline(knots, values, bc_type="natural")
        inside = np.clip(places, knots[0], knots[-1])
        return np.asarray(spline(inside) + spline(inside, 1) * (places - inside))

    def loss(values: np.ndarray) -> float:
        log_odds = curve(values)
        return float(np.logaddexp(0, log_odds).sum() - positives @ log_odds)

    best = minimize(loss, fitted(knots), method="BFGS").fun
    assert loss(fitted(knots)) == pytest.approx(best, abs=0.05)  # the ridge keeps it from the very best
    assert fitted(places) == pytest.approx(np.maximum(curve(fitted(knots)), -9.2), abs=1e-9)


def test_extreme_scores_have_a_finite_calibration() -> None:
    """Neither perfect separation nor a single score breaks the fit."""
    places = np.linspace(-3, 3, 200)
    assert np.isfinite(SplineCalibration.fit(places, np.ones(200), (places > 0).astype(float), 9.2)(places)).all()
    constant = fit_evidence(np.full(400, 0.3), np.zeros(400), np.tile([0.0, 0, 1], 134)[:400], [100] * 4)
    assert isinstance(constant, FittedBinaryEvidence)
    assert constant.bins.count == 1
    assert constant.bins.chances[0] == pytest.approx(np.tile([0.0, 0, 1], 134)[:400].mean())


def test_scores_outside_0_to_1_have_a_linear_grid() -> None:
    """The grid spans whatever the reference has, and its ends take what lies beyond."""
    grid = ScoreGrid.of(np.array([-4.0, 0.0, 12.0]))
    assert not grid.log_odds
    assert grid.cells(np.array([-100.0, -4.0, 12.0, 100.0])).tolist() == [0, 0, 8191, 8191]
    assert ScoreGrid.of(np.array([0.0, 1.0])).log_odds


def test_bins_hold_equal_numbers_of_rows_and_are_calibrated() -> None:
    """Continuous scores fill 64 bins alike; each bin's chance is near the share of positives in it."""
    random = np.random.default_rng(1)
    scores = expit(random.normal(-1.5, 1.5, 64_000))
    labels = (random.random(64_000) < expit(0.7 * logit(scores) + 0.4)).astype(float)
    fitted = fit_evidence(scores, (scores > CUT).astype(float), labels, [6_400] * 10)
    assert isinstance(fitted, FittedBinaryEvidence)
    assert fitted.bins.count == BINS
    assert fitted.pool.sum(0) == pytest.approx(np.full(BINS, 1000), abs=40)
    assert fitted.bins.chances == pytest.approx(
        expit(0.7 * logit(np.quantile(scores, (np.arange(64) + 0.5) / 64)) + 0.4), abs=0.02
    )
    assert np.all(np.diff(fitted.bins.chances) > 0)


def test_counts_are_those_of_the_rows_and_merge_exactly() -> None:
    """Counting by hand gives the same; parts merge to the whole; a late label adds and subtracts."""
    random = np.random.default_rng(5)
    scores, predictions, labels = rows(random, 700)
    labels[random.random(700) < 0.3] = np.nan
    bins = reference().bins
    counts = bins.counts(binary_rows(scores, predictions, labels))
    index = bins.bin_of_cell[bins.grid.cells(SCORES)]
    for place, score in enumerate(SCORES):
        tied = np.isclose(scores, score)
        row = int(score >= CUT)
        assert counts.scored[row, index[place]] == tied.sum()
        assert counts.labelled[row, index[place]] == (tied & ~np.isnan(labels)).sum()
        assert counts.positives[row, index[place]] == (tied & (labels == 1)).sum()
    halves = [
        bins.counts(binary_rows(scores[part], predictions[part], labels[part]))
        for part in (slice(350), slice(350, None))
    ]
    assert halves[0].merge(halves[1]).to_list() == counts.to_list()


def test_rows_without_a_score_or_a_prediction_are_not_counted() -> None:
    """Only rows with both are evidence."""
    frame = binary_rows(np.array([0.3, np.nan, 0.6]), np.array([0.0, 1.0, np.nan]), np.array([0.0, 1.0, 1.0]))
    assert reference().bins.counts(frame).scored.sum() == 1


def test_metrics_of_counts_are_those_of_the_rows() -> None:
    """With as many bins as distinct scores they equal scikit-learn's, and are undefined where it has none."""
    scores, predictions, labels = rows(np.random.default_rng(8), 900)
    counts = reference().bins.counts(binary_rows(scores, predictions, labels))
    expected = [roc_auc_score(labels, scores), f1_score(labels, predictions), accuracy_score(labels, predictions)]
    assert metrics_of(counts.labelled, counts.positives) == pytest.approx(expected, abs=1e-12)
    assert np.isnan(metrics_of(counts.labelled, 0 * counts.positives)[0])
    assert np.isnan(metrics_of(0 * counts.labelled, 0 * counts.positives)).all()


def test_too_few_labels_of_a_class_give_no_evidence() -> None:
    """Nineteen positives are too few."""
    scores, predictions, labels = rows(np.random.default_rng(0), 1_000)
    labels = np.where(np.cumsum(labels) > 19, 0.0, labels)
    refused = fit_evidence(scores, predictions, labels, [100] * 10)
    assert isinstance(refused, NoEvidence)
    assert refused.reason == (
        "The rarer class has 19 labels in the reference, and 20 are needed; give a longer reference."
    )


def test_the_fitted_state_survives_json() -> None:
    """It is the same after storing and loading."""
    fitted = reference()
    assert FittedBinaryEvidence.from_dict(fitted.to_dict()).to_dict() == fitted.to_dict()


def test_parts_of_a_chunk_are_no_chunks_of_their_own() -> None:
    """The variance is that between four chunks, however many rows each has; three chunks are too few."""
    random, sizes = np.random.default_rng(2), [3_000] * 4
    parts = [rows(random, size, shift) for size, shift in zip(sizes, (0.4, -0.4, 0.4, -0.4), strict=True)]
    scores, predictions, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    fitted = fit_evidence(scores, predictions, labels, sizes)
    assert isinstance(fitted, FittedBinaryEvidence)
    assert fitted.expected is not None
    assert fitted.expected.blocks == 4
    assert fitted.share.variance > 4 * 0.4**2
    assert fit_evidence(scores, predictions, labels, [4_000] * 3) == too_few_chunks(3, 4)
