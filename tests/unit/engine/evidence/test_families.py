"""The e-values of each family, compared with direct computations, and the law that their mean is at most 1."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from driftline.engine.evidence import families
from driftline.engine.evidence.families import BINARY, FAMILIES, REGRESSION, ComponentTable, Family, Stage, metric_of
from driftline.engine.evidence.metrics import expected_metrics, ranking, realized_metrics, share
from driftline.engine.evidence.metrics.bin_metrics import MARGINS, METRICS, metrics_of
from driftline.engine.evidence.metrics.block_metrics import MINIMUM_BLOCK_ROWS, blocks
from driftline.engine.evidence.metrics.indifference import IndifferenceZone, variance_between
from driftline.engine.evidence.scores.residuals import Residuals, log_likelihood
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.results import Metric
from tests.unit.engine.evidence.evidence_builders import drawn, redrawn, reference

FITTED = reference()
BINS = FITTED.bins


def test_weights_add_up_to_one_and_every_component_has_one_place() -> None:
    """Families weigh 1 : 1 : 1 : 0.25 and have 6, 3, 3 and 6 components."""
    assert BINARY.weights.sum() == pytest.approx(1)
    assert BINARY.count == 18
    assert BINARY.weights[BINARY.columns(Family.REALIZED)].sum() * 4 == pytest.approx(
        BINARY.weights[BINARY.columns(Family.SHARE)].sum()
    )
    assert (BINARY.stage_masks[Stage.SCORES] ^ BINARY.stage_masks[Stage.LABELS]).all()


@pytest.mark.parametrize("more", [0, 1, 2])
def test_components_of_every_class_test_the_metrics_of_a_binary_model(
    more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the number of components is no multiple of the number of metrics."""
    rows = [replace(row, count=row.count + more) if row.family is Family.SHARE else row for row in FAMILIES]
    monkeypatch.setattr(families, "BINARY", ComponentTable.of(rows))
    of_classes = ComponentTable.of(rows, ("a", "b", "c"))
    tested = [(family, metric_of(family, number)) for number, family in enumerate(of_classes.families)]
    assert [metric for _, metric in tested] == [*of_classes.metrics]
    assert [metric for family, metric in tested if family is Family.SHARE] == [None] * 3 * (6 + more)
    assert [metric for family, metric in tested if family is Family.RANKING] == [Metric.ROC_AUC] * 9
    assert [metric for family, metric in tested if family is Family.EXPECTED] == [*METRICS] * 3
    assert [metric for family, metric in tested if family is Family.REALIZED] == [*METRICS] * 6


def test_only_the_size_of_residuals_is_a_metric_of_a_regression() -> None:
    metrics = [metric_of(family, number) for number, family in enumerate(REGRESSION.families)]
    assert metrics == [None] * 6 + [Metric.MAE] * 3 + [None]


def test_the_likelihood_ratio_is_that_of_binomial_counts() -> None:
    """It equals the difference of scipy's log probabilities of the counts by bin."""
    counts = drawn(BINS, np.random.default_rng(1), 3, 400, shift=0.4)
    rows, positive_rows = counts.labelled.sum(1), counts.positives.sum(1)
    moved = expit(logit(BINS.chances) + 0.3 - 0.6 * BINS.scaled_log_odds)
    expected = (
        stats.binom.logpmf(positive_rows, rows, moved) - stats.binom.logpmf(positive_rows, rows, BINS.chances)
    ).sum(1)
    assert log_likelihood(BINS, counts.labelled, counts.positives, 0.3, -0.6) == pytest.approx(expected, abs=1e-8)


def test_the_variance_between_chunks_solves_its_equation() -> None:
    """With the variance put in, the statistic is the chi2 quantile; without any excess it is 0."""
    random = np.random.default_rng(2)
    variances = random.uniform(50, 90, 21)
    statistics = random.normal(0, np.sqrt(variances + variances**2 * 0.05))
    between = variance_between(statistics, variances)
    solved = (statistics**2 / (variances + variances**2 * between)).sum()
    assert solved == pytest.approx(stats.chi2.ppf(0.2, 20), rel=1e-9)
    assert variance_between(np.zeros(21), variances) == 0
    few = variance_between(statistics[:8], variances[:8])
    solved = (statistics[:8] ** 2 / (variances + variances**2 * few)[:8]).sum()
    assert solved == pytest.approx(stats.chi2.ppf(0.2 * 7 / 20, 7), rel=1e-9)


def test_residuals_are_the_score_statistics() -> None:
    """U is the slope of the log likelihood at 0, V its negative curvature."""
    counts = drawn(BINS, np.random.default_rng(4), 1, 900, shift=0.2)
    residuals, step = Residuals.of(BINS, counts.labelled, counts.positives), 1e-4
    up, down = (log_likelihood(BINS, counts.labelled, counts.positives, s, 0.0)[0] for s in (step, -step))
    assert residuals.shift[0] == pytest.approx((up - down) / (2 * step), rel=1e-5)
    assert residuals.shift_variance[0] == pytest.approx(-(up + down) / step**2, rel=1e-3)


def test_the_mean_e_value_is_1_at_the_edge_of_the_zone() -> None:
    """Enumerating the positives of one bin: exactly 1 at the edge, less inside the zone."""
    place, rows, half_width = 5, 60, 0.2
    state = IndifferenceZone(variance=0.0, half_width=half_width)
    scored = np.zeros((rows + 1, 2, BINS.count), dtype=np.int64)
    positives = scored.copy()
    scored[:, 0, place], positives[:, 0, place] = rows, np.arange(rows + 1)
    e_values = np.exp(share.log_evidence(BINS, state, ScoreCounts(scored, scored, positives), np.zeros(len(scored))))
    at_edge = stats.binom.pmf(np.arange(rows + 1), rows, expit(logit(BINS.chances[place]) + half_width))
    inside = stats.binom.pmf(np.arange(rows + 1), rows, BINS.chances[place])
    assert at_edge @ e_values[:, :3] == pytest.approx(1)
    assert np.all(inside @ e_values < 1)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.15])
def test_mean_e_values_are_at_most_1_without_a_change(spread: float) -> None:
    """Over drawn references and chunks, whose log-odds may vary between chunks; beyond the Monte Carlo error."""
    random = np.random.default_rng(6)
    means = []
    for _ in range(40):
        fitted = redrawn(BINS, random, 21, 950, spread)
        counts = drawn(BINS, random, 300, 950, shift=random.normal(0, spread, 300))
        assert fitted.expected is not None
        assert fitted.realized is not None
        log_evidence = [
            share.log_evidence(BINS, fitted.share, counts, np.zeros(300)),
            ranking.log_evidence(BINS, fitted.ranking, counts, np.zeros(300), np.zeros(300)),
            expected_metrics.log_evidence(fitted.expected, BINS.chances, counts.scored),
            realized_metrics.log_evidence(fitted.realized, counts),
        ]
        means.append(np.exp(np.concatenate(log_evidence, axis=1)).mean(0))
    error = np.std(means, axis=0) / np.sqrt(len(means))
    assert np.all(np.mean(means, axis=0) <= 1 + 3 * error)


def test_the_evidence_of_an_expected_metric_is_that_of_a_t_test() -> None:
    """The p-value is scipy's, and becomes 0.3 p^-0.7."""
    counts, state = drawn(BINS, np.random.default_rng(7), 5, 950), FITTED.expected
    assert state is not None
    drop = state.mean - metrics_of(counts.scored, counts.scored * BINS.chances) - 0.2 * MARGINS
    error = np.sqrt(state.between + state.sampling / 950 + (state.between + state.sampling / state.rows) / state.blocks)
    expected = np.log(0.3) - 0.7 * stats.t.logsf(drop / error, state.blocks - 1)
    assert expected_metrics.log_evidence(state, BINS.chances, counts.scored) == pytest.approx(expected, abs=1e-8)


def test_realized_evidence_is_a_gaussian_likelihood_ratio() -> None:
    """It equals the difference of scipy's log densities for a drop of one and two margins."""
    counts, state = drawn(BINS, np.random.default_rng(7), 5, 950, tilt=-0.5), FITTED.realized
    assert state is not None
    error = np.sqrt((state.between + state.sampling / state.rows) / state.blocks)
    drop = state.mean - metrics_of(counts.labelled, counts.positives) - np.maximum(0.2 * MARGINS, 2.5 * error)
    spread = np.sqrt(state.between + state.sampling / 950)
    expected = [stats.norm.logpdf(drop, k * MARGINS, spread) - stats.norm.logpdf(drop, 0, spread) for k in (1, 2)]
    assert realized_metrics.log_evidence(state, counts) == pytest.approx(np.concatenate(expected, axis=1), abs=1e-8)


def test_small_chunks_are_joined_to_blocks() -> None:
    """Chunks of 200 rows make a block of three; an open block is carried on."""
    counts = drawn(BINS, np.random.default_rng(9), 7, 200)
    counted_blocks = list(blocks(counts.scored, BINS.chances, MINIMUM_BLOCK_ROWS))
    assert [place for place, _ in counted_blocks] == [2, 5]
    assert counted_blocks[1][1].tolist() == counts.scored[3:6].sum(0).tolist()
    resumed = list(blocks(counts.scored[1:], BINS.chances, MINIMUM_BLOCK_ROWS, counts.scored[0]))
    assert [place for place, _ in resumed] == [1, 4]
