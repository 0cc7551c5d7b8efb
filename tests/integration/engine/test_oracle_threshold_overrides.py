"""Thresholds that a spec gives itself are NannyML's, to the last digit."""

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.engine.catalogue import METRICS, Problem
from driftline.engine.results import Method, Metric, ResultKind
from driftline.engine.spec import ColumnSpec, Spec, ThresholdPolicy
from driftline.engine.threshold_override import ConstantThreshold, ThresholdOverride
from driftline.engine.thresholds.policies import bounds_for
from tests.unit.engine.thresholds_drawn import THRESHOLDS

ONE_COLUMN = Spec(columns=(ColumnSpec(name="x"),))
NANNYML = ONE_COLUMN.model_copy(update={"thresholds": ThresholdPolicy.NANNYML})
PROBLEM = {
    Problem.BINARY: "classification_binary",
    Problem.MULTICLASS: "classification_multiclass",
    Problem.REGRESSION: "regression",
}
UNSUPPORTED = (Metric.LOG_LOSS, Metric.BRIER, Metric.CALIBRATION_ERROR)
"""Metrics that NannyML has not."""
CELLS = (Metric.TRUE_POSITIVES, Metric.FALSE_POSITIVES, Metric.TRUE_NEGATIVES, Metric.FALSE_NEGATIVES)
CONTINUOUS = (Method.JENSEN_SHANNON, Method.HELLINGER, Method.KOLMOGOROV_SMIRNOV, Method.WASSERSTEIN)
VALUES = st.lists(st.floats(-3, 3), min_size=1, max_size=8)
LAW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _with(method: str, threshold: ThresholdOverride, spec: Spec = ONE_COLUMN) -> Spec:
    return Spec.model_validate({**spec.model_dump(), "threshold_overrides": {method: threshold}})


def _theirs(nannyml: ModuleType, threshold: ThresholdOverride) -> Any:
    if isinstance(threshold, ConstantThreshold):
        return nannyml.thresholds.ConstantThreshold(threshold.lower, threshold.upper)
    return nannyml.thresholds.StandardDeviationThreshold(
        threshold.std_lower_multiplier,
        threshold.std_upper_multiplier,
        {"mean": np.nanmean, "median": np.nanmedian}[threshold.offset_from],
    )


def _limits(nannyml: ModuleType, kind: ResultKind, method: str, problem: Problem) -> tuple[float | None, float | None]:
    """The limits that NannyML's own object for a number has."""
    none = nannyml.thresholds.ConstantThreshold()
    if kind is ResultKind.DRIFT:
        types = nannyml.drift.univariate.methods.FeatureType
        feature = types.CONTINUOUS if method in CONTINUOUS else types.CATEGORICAL
        univariate = nannyml.drift.univariate.methods.MethodFactory.create(
            method, feature, chunker=None, threshold=none
        )
        return univariate.lower_threshold_value_limit, univariate.upper_threshold_value_limit
    metric = nannyml.performance_calculation.metrics.base.MetricFactory.create(
        "confusion_matrix" if method in CELLS else method,
        nannyml._typing.ProblemType(PROBLEM[problem]),
        y_true="label",
        y_pred="prediction",
        y_pred_proba="score",
        threshold=none,
        normalize_confusion_matrix=None,
        business_value_matrix=np.zeros((2, 2)),
        normalize_business_value=None,
    )
    return metric.lower_threshold_value_limit, metric.upper_threshold_value_limit


@pytest.mark.parametrize(
    ("kind", "method", "problem"),
    [
        *((ResultKind.DRIFT, method, Problem.BINARY) for method in (*CONTINUOUS, Method.L_INFINITY)),
        *(
            (ResultKind.REALIZED, metric, problem)
            for problem in Problem
            for metric in METRICS[problem]
            if metric not in UNSUPPORTED
        ),
    ],
)
@LAW
@given(VALUES, THRESHOLDS)
def test_threshold_overrides_are_those_of_nannyml(
    nannyml: ModuleType,
    kind: ResultKind,
    method: str,
    problem: Problem,
    values: list[float],
    threshold: ThresholdOverride,
) -> None:
    limits = _limits(nannyml, kind, method, problem)
    expected = nannyml.thresholds.calculate_threshold_values(_theirs(nannyml, threshold), np.array(values), *limits)
    bounds = bounds_for(_with(method, threshold), kind, method, values)
    for bound, expected_bound in zip((bounds.lower, bounds.upper), expected, strict=True):
        assert bound == (None if expected_bound is None else pytest.approx(expected_bound, rel=1e-9, abs=1e-12))
    assert (bounds.alert_lower, bounds.alert_upper) == (bounds.lower, bounds.upper)


@pytest.mark.parametrize("method", [*CONTINUOUS, Method.L_INFINITY])
@LAW
@given(values=VALUES)
def test_the_default_of_drift_is_upper_only(nannyml: ModuleType, method: str, values: list[float]) -> None:
    default = nannyml.drift.univariate.calculator.DEFAULT_THRESHOLDS[method]
    limits = _limits(nannyml, ResultKind.DRIFT, method, Problem.BINARY)
    lower, upper = nannyml.thresholds.calculate_threshold_values(default, np.array(values), *limits)
    bounds = bounds_for(NANNYML, ResultKind.DRIFT, method, values)
    assert (bounds.lower, lower) == (None, None)
    assert bounds.upper == pytest.approx(upper, rel=1e-9, abs=1e-12)
