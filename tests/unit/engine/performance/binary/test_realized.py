"""Realized metrics equal those of scikit-learn and those computed by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from driftline.engine.performance.binary import realized
from driftline.engine.performance.binary.confusion import BinaryConfusion
from driftline.engine.performance.binary.ranked import RankedRows, calibration_error
from driftline.engine.performance.binary.realized import roc_auc
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.calibration import bin_edges
from driftline.engine.results import Metric, State
from tests.unit.engine.frame_builders import scored_rows
from tests.unit.engine.performance.binary.score_builders import (
    ALL,
    LOOSE,
    NO_ERRORS,
    PER_PREDICTION,
    WORTH,
    Row,
    realized_of,
    sixths,
)

ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=60)


def _values(frame: pd.DataFrame) -> dict[Metric, float | None]:
    outcomes = realized.outcomes(NO_ERRORS, BinaryRows.of(frame), LOOSE)
    return {metric: outcome.value for metric, outcome in outcomes}


@pytest.mark.slow
@given(ROWS)
def test_metrics_are_exact_with_ties(rows: list[Row]) -> None:
    frame = sixths([*rows, (3, 1, 1), (3, 0, 0)])
    truth, score, prediction = frame["label"], frame["probability_1"], frame["prediction"]
    (tn, fp), (fn, tp) = metrics.confusion_matrix(truth, prediction).tolist()
    expected = {
        Metric.ROC_AUC: metrics.roc_auc_score(truth, score),
        Metric.F1: metrics.f1_score(truth, prediction),
        Metric.ACCURACY: metrics.accuracy_score(truth, prediction),
        Metric.AVERAGE_PRECISION: metrics.average_precision_score(truth, score),
        Metric.PRECISION: metrics.precision_score(truth, prediction),
        Metric.RECALL: metrics.recall_score(truth, prediction),
        Metric.SPECIFICITY: metrics.recall_score(truth, prediction, pos_label=0),
        Metric.TRUE_POSITIVES: tp,
        Metric.FALSE_POSITIVES: fp,
        Metric.TRUE_NEGATIVES: tn,
        Metric.FALSE_NEGATIVES: fn,
        Metric.BUSINESS_VALUE: 9.0 * tp - 4.0 * fp + 0.5 * tn - 20.0 * fn,
        Metric.LOG_LOSS: metrics.log_loss(truth, score),
        Metric.BRIER: metrics.brier_score_loss(truth, score),
    }
    values = _values(frame)
    assert values.pop(Metric.CALIBRATION_ERROR) is not None or len(frame) < 4
    assert values == pytest.approx(expected, abs=1e-12)


def test_the_calibration_error_is_the_mean_gap_over_ten_bins() -> None:
    rows = scored_rows(1_007).assign(probability_1=np.random.default_rng(1).random(1_007))
    ordered = rows.sort_values("probability_1")
    score, truth = ordered["probability_1"].to_numpy(), ordered["label"].to_numpy()
    parts = [slice(low, high) for low, high in pairwise([*range(0, 1_000, 100), 1_007])]
    expected = sum(abs(score[part].mean() - truth[part].mean()) * len(score[part]) for part in parts) / 1_007
    assert realized_of(rows, Metric.CALIBRATION_ERROR).value == pytest.approx(expected, abs=1e-12)


def test_equal_scores_are_divided_over_bins_in_proportion() -> None:
    """Four rows, two bins, one score: each bin has half of the three positives, whatever the order of the rows."""
    equal = sixths([(3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 1, 0)])
    assert realized_of(equal, Metric.CALIBRATION_ERROR).value == pytest.approx(0.25)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1)), min_size=4, max_size=80))
def test_no_metric_depends_on_the_order_of_the_rows(pairs: list[tuple[int, int]]) -> None:
    frame = sixths([(score * 6 / 40, score % 2, label) for score, label in pairs] + [(3, 1, 1), (3, 0, 0)])
    shuffled = frame.sample(frac=1, random_state=len(pairs))
    assert _values(shuffled) == pytest.approx(_values(frame), rel=1e-12)


def test_bins_equal_those_of_nannyml() -> None:
    assert bin_edges(1_007).tolist() == [*range(0, 1_000, 100), 1_007]
    assert bin_edges(9).tolist() == [0, 2, 4, 6, 9]
    assert bin_edges(25).tolist() == [*range(0, 24, 2), 25]
    assert bin_edges(3).tolist() == []


def test_too_few_rows_for_bins_have_no_calibration_error() -> None:
    outcome = realized_of(sixths([(1, 0, 0), (5, 1, 1)]), Metric.CALIBRATION_ERROR)
    assert (outcome.value, outcome.reason) == (None, "calibration_error is not defined for these rows")


def test_without_positive_predictions_precision_is_undefined() -> None:
    frame = sixths([(1, 0, 0), (5, 0, 1), (2, 0, 0)])
    precision = realized_of(frame, Metric.PRECISION)
    assert (precision.value, precision.state) == (None, State.INSUFFICIENT)
    assert precision.reason == "precision is not defined: no row is predicted to be of class 1"
    assert (realized_of(frame, Metric.RECALL).value, realized_of(frame, Metric.SPECIFICITY).value) == (0.0, 1.0)


def test_with_positive_predictions_only_precision_is_defined() -> None:
    frame = sixths([(1, 1, 0), (5, 1, 1), (2, 1, 0), (3, 1, 0)])
    assert realized_of(frame, Metric.PRECISION).value == 0.25
    assert (realized_of(frame, Metric.RECALL).value, realized_of(frame, Metric.SPECIFICITY).value) == (1.0, 0.0)


@pytest.mark.parametrize("metric", [Metric.LOG_LOSS, Metric.BRIER, Metric.CALIBRATION_ERROR])
def test_scores_that_are_no_probabilities_have_no_loss(metric: Metric) -> None:
    frame = sixths([(-3, 0, 0), (9, 1, 1), (2, 0, 0), (3, 1, 1)])
    outcome = realized_of(frame, metric)
    assert (outcome.value, outcome.reason) == (None, f"{metric} needs scores from 0 to 1; they go from -0.5 to 1.5")
    assert realized_of(frame, Metric.ROC_AUC).value == 1.0


def test_a_certain_mistake_has_a_finite_log_loss() -> None:
    frame = sixths([(0, 0, 1), (6, 1, 1), (6, 1, 0), (0, 0, 0)])
    expected = metrics.log_loss(frame["label"], frame["probability_1"])
    assert realized_of(frame, Metric.LOG_LOSS).value == pytest.approx(expected, rel=1e-12)


def test_undefined_metrics_are_none() -> None:
    negative_only = BinaryConfusion.of(BinaryRows.of(sixths([(1, 0, 0), (2, 0, 0)])))
    assert negative_only.f1 is None
    assert negative_only.precision is None
    assert negative_only.recall is None
    empty = BinaryConfusion(0, 0, 0, 0)
    assert (empty.accuracy, empty.specificity) == (None, None)
    assert empty.business_value(WORTH.model_copy(update={"per_prediction": True})) is None
    assert roc_auc(BinaryRows.of(sixths([(1, 0, 1), (2, 0, 1)]))) is None
    assert calibration_error(RankedRows.of(BinaryRows.of(sixths([(1, 0, 1)]))), bin_edges(1)) is None


def test_business_value_per_prediction_is_the_mean() -> None:
    counted = BinaryRows.of(sixths([(1, 1, 1), (2, 1, 0), (3, 0, 0), (4, 0, 1)]))
    total = dict(realized.outcomes(NO_ERRORS, counted, LOOSE))[Metric.BUSINESS_VALUE].value
    mean = dict(realized.outcomes(NO_ERRORS, counted, PER_PREDICTION))[Metric.BUSINESS_VALUE].value
    assert (total, mean) == (-14.5, -14.5 / 4)


def test_each_metric_uses_the_rows_with_its_inputs() -> None:
    rows = scored_rows(200)
    rows["probability_1"] = rows["probability_1"].mask(rows["id"] < 20)
    rows["prediction"] = rows["prediction"].astype(float).mask(rows["id"] >= 190)
    rows_used = {metric: outcome.rows for metric, outcome in realized.outcomes(NO_ERRORS, BinaryRows.of(rows), LOOSE)}
    of_score = {Metric.ROC_AUC, Metric.AVERAGE_PRECISION, Metric.LOG_LOSS, Metric.BRIER, Metric.CALIBRATION_ERROR}
    assert rows_used == {metric: 180 if metric in of_score else 190 for metric in ALL}


def test_without_labels_every_metric_is_pending() -> None:
    rows = scored_rows(200).assign(label=np.nan)
    outcomes = dict(realized.outcomes(NO_ERRORS, BinaryRows.of(rows), LOOSE))
    assert {outcome.state for outcome in outcomes.values()} == {State.PENDING_LABELS}
    assert list(outcomes) == list(ALL)
