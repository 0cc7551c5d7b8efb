"""Realized and estimated metrics against scikit-learn, and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from driftline.engine.outcome import Outcome
from driftline.engine.performance.binary import cbpe, realized, sampling
from driftline.engine.performance.binary.cbpe import Cbpe
from driftline.engine.performance.binary.confusion import Confusion
from driftline.engine.performance.binary.ranked import Ranked, roc_auc
from driftline.engine.performance.binary.sampling import SamplingErrors
from driftline.engine.performance.binary.scores import Scores
from driftline.engine.performance.calibration import IDENTITY, isotonic
from driftline.engine.results import Metric
from tests.unit.engine.frame_builders import SPEC, scored_rows

LOOSE = SPEC.model_copy(update={"minimum_rows": 2, "minimum_class_rows": 1})
NO_ERRORS = SamplingErrors({})
ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1), st.integers(0, 1)), min_size=2, max_size=60)


def _frame(rows: list[tuple[int, int, int]]) -> pd.DataFrame:
    scores, predictions, labels = zip(*rows, strict=True)
    return pd.DataFrame({"probability_1": np.array(scores) / 6, "prediction": predictions, "label": labels})


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_realized_metrics_are_exact_with_ties(rows: list[tuple[int, int, int]]) -> None:
    frame = _frame([*rows, (3, 1, 1), (3, 0, 0)])
    counted = Scores.of(frame)
    assert roc_auc(Ranked.of(counted)) == pytest.approx(
        roc_auc_score(frame["label"], frame["probability_1"]), abs=1e-12
    )
    assert Confusion.of(counted).f1 == pytest.approx(f1_score(frame["label"], frame["prediction"]), abs=1e-12)
    assert Confusion.of(counted).accuracy == pytest.approx(
        accuracy_score(frame["label"], frame["prediction"]), abs=1e-12
    )


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_estimates_are_expectations_over_labels(rows: list[tuple[int, int, int]]) -> None:
    """With scores of 0 and 1 the expected labels are certain: the estimate is the realized value."""
    frame = _frame([*rows, (6, 1, 1), (0, 0, 0)])
    frame["label"] = (frame["probability_1"] > 0.5).astype(int)
    frame["probability_1"] = frame["label"].astype(float)
    state, counted = Cbpe(IDENTITY), Scores.of(frame)
    for metric in SPEC.metrics:
        expected = realized.finish(NO_ERRORS, counted, metric, LOOSE).value
        assert cbpe.finish(state, NO_ERRORS, counted, metric, LOOSE).value == pytest.approx(expected, abs=1e-9)


def test_f1_without_anything_to_find_is_undefined() -> None:
    assert Confusion.of(Scores.of(_frame([(1, 0, 0), (2, 0, 0)]))).f1 is None


def test_an_estimate_of_f1_with_nothing_to_find_is_undefined() -> None:
    """Where NannyML says 0."""
    nothing = Scores.of(_frame([(0, 0, 0)] * 5))
    loosest = LOOSE.model_copy(update={"minimum_class_rows": 0})
    outcome = cbpe.finish(Cbpe(IDENTITY), NO_ERRORS, nothing, Metric.F1, loosest)
    assert (outcome.value, outcome.reason) == (None, "f1 is not defined for these probabilities")


def test_scores_of_one_class_have_no_roc_auc() -> None:
    assert roc_auc(Ranked.of(Scores.of(_frame([(1, 0, 1), (2, 0, 1)])))) is None


def test_each_metric_uses_the_rows_that_it_can() -> None:
    rows = scored_rows(200)
    rows["probability_1"] = rows["probability_1"].mask(rows["id"] < 20)
    rows["prediction"] = rows["prediction"].astype(float).mask(rows["id"] >= 190)
    counted = Scores.of(rows)
    used = {m: realized.finish(NO_ERRORS, counted, m, SPEC).rows for m in SPEC.metrics}
    assert used == {Metric.ROC_AUC: 180, Metric.F1: 190, Metric.ACCURACY: 190}
    used = {m: cbpe.finish(Cbpe(IDENTITY), NO_ERRORS, counted, m, SPEC).rows for m in SPEC.metrics}
    assert used == {Metric.ROC_AUC: 180, Metric.F1: 170, Metric.ACCURACY: 170}


@pytest.mark.parametrize(("metric", "off"), [(Metric.ROC_AUC, 0.2), (Metric.ACCURACY, 0.2), (Metric.F1, 0.5)])
def test_sampling_errors_are_the_spread_of_repeated_samples(metric: Metric, off: float) -> None:
    """NannyML's formula, kept here, is some way above the truth for F1."""
    rows = scored_rows(40_000)
    arrays = [rows[name].to_numpy(float) for name in ("probability_1", "prediction", "label")]
    errors = sampling.fit(*arrays)
    counted = [Scores.of(rows[start : start + 500]) for start in range(0, len(rows), 500)]
    values = [realized.finish(errors, part, metric, SPEC).value for part in counted]
    assert errors.of(metric, 500) == pytest.approx(np.std(np.array(values, dtype=float)), rel=off)


def test_a_reference_of_one_class_has_no_error_of_roc_auc() -> None:
    ones, none = np.ones(5), np.empty(0)
    errors = sampling.fit(np.linspace(0, 1, 5), ones, ones)
    assert errors.of(Metric.ROC_AUC, 100) is None
    assert errors.of(Metric.ACCURACY, 100) == 0
    assert sampling.fit(none, none, none).spreads == {}


def test_calibration_is_a_rising_curve_that_goes_on_level() -> None:
    curve = isotonic(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0, 1, 0, 1]))
    assert curve(np.array([0.0, 0.1, 0.15, 0.25, 0.4, 0.9])) == pytest.approx([0, 0, 0.25, 0.5, 1, 1])
