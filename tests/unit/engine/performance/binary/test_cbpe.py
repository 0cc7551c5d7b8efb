"""Estimates are expected values over all possible labels, weighted by their probability."""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.catalogue import CONFUSION
from driftline.engine.performance.binary import cbpe, realized
from driftline.engine.performance.binary.cbpe import BinaryCbpe
from driftline.engine.performance.binary.metrics import COMPUTATIONS
from driftline.engine.performance.binary.realized import RealizedRows
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.calibration import IDENTITY, Calibration
from driftline.engine.results import Metric
from tests.unit.engine.frame_builders import scored_rows
from tests.unit.engine.performance.binary.score_builders import (
    ALL,
    LOOSE,
    NO_ERRORS,
    Row,
    estimated_of,
    sixths,
)

ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=60)
CURVE = Calibration(np.array([0.0, 0.5, 1.0]), np.array([0.1, 0.2, 0.8]))


@given(ROWS)
def test_with_certain_labels_the_estimate_is_realized(rows: list[Row]) -> None:
    frame = sixths([*rows, (6, 1, 1), (0, 0, 0)])
    frame["label"] = (frame["probability_1"] > 0.5).astype(int)
    frame["probability_1"] = frame["label"].astype(float)
    counted = BinaryRows.of(frame)
    truth = dict(realized.outcomes(NO_ERRORS, counted, LOOSE))
    for metric, outcome in cbpe.outcomes(BinaryCbpe(IDENTITY), NO_ERRORS, counted, LOOSE):
        if metric is not Metric.CALIBRATION_ERROR:
            assert outcome.value == pytest.approx(truth[metric].value, abs=1e-9), metric


SEVEN: list[Row] = [(1, 0, 0), (2, 0, 0), (2, 1, 0), (3, 1, 0), (4.5, 0, 0), (5, 1, 0), (5, 1, 0)]


@pytest.mark.parametrize("curve", [IDENTITY, CURVE])
@pytest.mark.parametrize("metric", [Metric.LOG_LOSS, Metric.BRIER, Metric.ACCURACY, Metric.BUSINESS_VALUE, *CONFUSION])
def test_means_and_totals_are_expected_over_all_labels(metric: Metric, curve: Calibration) -> None:
    frame = sixths(SEVEN)
    probabilities = curve(frame["probability_1"].to_numpy())
    values = _values_by_labels(metric)
    expected = 0.0
    for labels in product((0, 1), repeat=len(frame)):
        weight = float(np.prod(np.where(np.array(labels) == 1, probabilities, 1 - probabilities)))
        expected += weight * values[labels]
    assert estimated_of(frame, metric, curve).value == pytest.approx(expected, rel=1e-12)


@cache
def _values_by_labels(metric: Metric) -> dict[tuple[int, ...], float]:
    frame = sixths(SEVEN)
    return {labels: _value(frame.assign(label=labels), metric) for labels in product((0, 1), repeat=len(frame))}


def _value(frame: pd.DataFrame, metric: Metric) -> float:
    value = COMPUTATIONS[metric].realized(RealizedRows(BinaryRows.of(frame), LOOSE))
    assert value is not None
    return value


@pytest.mark.parametrize("metric", [Metric.ROC_AUC, Metric.AVERAGE_PRECISION, Metric.LOG_LOSS, Metric.BRIER])
def test_estimates_are_accurate_for_calibrated_scores(metric: Metric) -> None:
    rows = scored_rows(20_000)
    estimate = estimated_of(rows, metric).value
    truth = dict(realized.outcomes(NO_ERRORS, BinaryRows.of(rows), LOOSE))[metric].value
    assert estimate == pytest.approx(truth, abs=0.015)


def test_a_calibration_error_cannot_be_estimated() -> None:
    outcome = estimated_of(scored_rows(200), Metric.CALIBRATION_ERROR)
    assert (outcome.value, outcome.rows) == (None, 200)
    assert outcome.reason == "it requires labels, since an estimate assumes that calibrated scores are correct"


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        (Metric.F1, "f1 is not defined for these rows"),
        (Metric.PRECISION, "precision is not defined: no row is predicted to be of class 1"),
        (Metric.RECALL, "recall is not defined for these rows"),
        (Metric.ROC_AUC, "roc_auc is not defined for these rows"),
        (Metric.AVERAGE_PRECISION, "average_precision is not defined for these rows"),
    ],
)
def test_an_estimate_without_expected_positives_is_undefined(metric: Metric, reason: str) -> None:
    """NannyML returns 0."""
    rows = BinaryRows.of(sixths([(0, 0, 0)] * 5))
    loosest = LOOSE.model_copy(update={"minimum_class_rows": 0})
    outcome = dict(cbpe.outcomes(BinaryCbpe(IDENTITY), NO_ERRORS, rows, loosest))[metric]
    assert (outcome.value, outcome.reason) == (None, reason)


def test_an_estimated_loss_needs_probabilities() -> None:
    outcome = estimated_of(sixths([(-3, 0, 0), (9, 1, 1), (2, 0, 0), (3, 1, 1)]), Metric.LOG_LOSS, CURVE)
    assert (outcome.value, outcome.reason) == (None, "log_loss needs scores from 0 to 1; they go from -0.5 to 1.5")


def test_each_metric_uses_the_rows_with_its_inputs() -> None:
    rows = scored_rows(200)
    rows["probability_1"] = rows["probability_1"].mask(rows["id"] < 20)
    rows["prediction"] = rows["prediction"].astype(float).mask(rows["id"] >= 190)
    of_score = {Metric.ROC_AUC, Metric.AVERAGE_PRECISION, Metric.LOG_LOSS, Metric.BRIER, Metric.CALIBRATION_ERROR}
    for state in (BinaryCbpe(IDENTITY), BinaryCbpe(None, "why")):
        rows_used = {
            metric: outcome.rows for metric, outcome in cbpe.outcomes(state, NO_ERRORS, BinaryRows.of(rows), LOOSE)
        }
        assert rows_used == {metric: 180 if metric in of_score else 170 for metric in ALL}


def test_without_a_calibration_there_is_no_estimate() -> None:
    outcomes = dict(cbpe.outcomes(BinaryCbpe(None, "why"), NO_ERRORS, BinaryRows.of(scored_rows(200)), LOOSE))
    assert {(outcome.value, outcome.reason) for outcome in outcomes.values()} == {(None, "why")}
