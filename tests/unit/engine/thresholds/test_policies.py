from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.results import Bounds, Method, Metric, Quality, ResultKind, State
from driftline.engine.spec import ColumnSpec, Spec, ThresholdPolicy
from driftline.engine.thresholds.comparison import compare
from driftline.engine.thresholds.policies import bounds_for, bounds_note

SPEC = Spec(columns=(ColumnSpec(name="x"),))
NANNYML = SPEC.model_copy(update={"thresholds": ThresholdPolicy.NANNYML})
EIGHT = (0.50, 0.52, 0.48, 0.50, 0.51, 0.49, 0.53, 0.47)
MEAN, SD = 0.5, 0.02
T_QUANTILE = {3: 5.1437, 1: 4.2071}
"""One-sided t quantiles with 7 degrees of freedom at 0.002 / n."""
shares = st.floats(0, 1)


def test_performance_is_bounded_below_only() -> None:
    bounds = bounds_for(SPEC, ResultKind.REALIZED, Metric.F1, EIGHT)
    assert bounds.upper is None
    assert bounds.alert_upper is None
    assert bounds.lower == pytest.approx(MEAN - 3 * SD)
    assert bounds.expected == pytest.approx(MEAN)


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        (ResultKind.DRIFT, Method.JENSEN_SHANNON),
        (ResultKind.DRIFT, Method.KOLMOGOROV_SMIRNOV),
        (ResultKind.DRIFT, Method.WASSERSTEIN),
        (ResultKind.QUALITY, Quality.MISSING_VALUES),
    ],
)
def test_drift_and_missing_values_are_bounded_above_only(kind: ResultKind, method: str) -> None:
    bounds = bounds_for(SPEC, kind, method, EIGHT)
    assert bounds.lower is None
    assert bounds.alert_lower is None
    assert bounds.upper == pytest.approx(MEAN + 3 * SD)


def test_the_alert_bound_is_a_shared_t_prediction_limit() -> None:
    bounds = bounds_for(SPEC, ResultKind.REALIZED, Metric.F1, EIGHT)
    only_f1 = SPEC.model_copy(update={"metrics": (Metric.F1,)})
    alone = bounds_for(only_f1, ResultKind.REALIZED, Metric.F1, EIGHT)
    assert bounds.alert_lower is not None
    assert alone.alert_lower is not None
    assert (MEAN - bounds.alert_lower) / SD / sqrt(1 + 1 / 8) == pytest.approx(T_QUANTILE[3], abs=1e-4)
    assert (MEAN - alone.alert_lower) / SD / sqrt(1 + 1 / 8) == pytest.approx(T_QUANTILE[1], abs=1e-4)


def test_the_alert_bound_is_never_inside_the_warning_bound() -> None:
    many = [0.5 + 0.001 * (i % 7) for i in range(5000)]
    one_metric = SPEC.model_copy(update={"metrics": (Metric.F1,)})
    bounds = bounds_for(one_metric, ResultKind.REALIZED, Metric.F1, many)
    assert bounds.lower is not None
    assert bounds.alert_lower == bounds.lower


def test_a_larger_spread_gives_wider_bounds_within_the_range() -> None:
    wild = (0.0, 1.0) * 4
    assert bounds_for(SPEC, ResultKind.REALIZED, Metric.ROC_AUC, wild).lower == 0
    assert bounds_for(SPEC, ResultKind.DRIFT, Method.JENSEN_SHANNON, wild).alert_upper == 1
    wasserstein = bounds_for(SPEC, ResultKind.DRIFT, Method.WASSERSTEIN, (0.0, 10.0) * 4)
    assert wasserstein.upper is not None
    assert wasserstein.upper > 10


def test_equal_reference_chunks_do_not_warn_of_themselves() -> None:
    bounds = bounds_for(SPEC, ResultKind.REALIZED, Metric.F1, [0.1] * 9)
    assert compare(Metric.F1, 0.1, bounds) is State.OK
    assert compare(Metric.F1, 0.1 - 1e-12, bounds) is State.OK
    assert compare(Metric.F1, 0.0999, bounds) is State.ALERT


@pytest.mark.parametrize(("error", "deviation"), [(None, SD), (0.0, SD), (0.019, SD), (0.05, 0.05)])
@pytest.mark.parametrize("kind", [ResultKind.REALIZED, ResultKind.ESTIMATED])
def test_the_performance_spread_is_at_least_the_sampling_error(
    kind: ResultKind, error: float | None, deviation: float
) -> None:
    bounds = bounds_for(SPEC, kind, Metric.F1, EIGHT, error)
    assert bounds.lower == pytest.approx(MEAN - 3 * deviation)
    assert bounds.alert_lower == pytest.approx(MEAN - T_QUANTILE[3] * sqrt(1 + 1 / 8) * deviation, abs=1e-5)
    assert bounds.expected == pytest.approx(MEAN)


def test_sampling_errors_change_no_other_bounds() -> None:
    for kind, method in ((ResultKind.DRIFT, Method.JENSEN_SHANNON), (ResultKind.QUALITY, Quality.MISSING_VALUES)):
        assert bounds_for(SPEC, kind, method, EIGHT, 0.3) == bounds_for(SPEC, kind, method, EIGHT)
    assert bounds_for(NANNYML, ResultKind.REALIZED, Metric.F1, EIGHT, 0.3) == bounds_for(
        NANNYML, ResultKind.REALIZED, Metric.F1, EIGHT
    )
    assert bounds_for(SPEC, ResultKind.REALIZED, Metric.F1, EIGHT[:3], 0.3) == Bounds()


@given(st.lists(shares, min_size=4, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_the_larger_the_sampling_error_the_wider_the_bounds(values: list[float], first: float, second: float) -> None:
    less, more = (bounds_for(SPEC, ResultKind.REALIZED, Metric.F1, values, error) for error in sorted((first, second)))
    assert None not in {less.lower, more.lower, less.alert_lower, more.alert_lower}
    assert (more.lower or 0.0) <= (less.lower or 0.0)
    assert (more.alert_lower or 0.0) <= (less.alert_lower or 0.0)


@pytest.mark.parametrize("usable", [0, 1, 3])
@pytest.mark.parametrize(
    ("kind", "method", "expected"),
    [
        (ResultKind.REALIZED, Metric.ROC_AUC, Bounds(lower=0.5)),
        (ResultKind.REALIZED, Metric.F1, Bounds()),
        (ResultKind.ESTIMATED, Metric.ACCURACY, Bounds()),
        (ResultKind.DRIFT, Method.JENSEN_SHANNON, Bounds(upper=0.1)),
        (ResultKind.DRIFT, Method.KOLMOGOROV_SMIRNOV, Bounds(upper=0.1)),
        (ResultKind.DRIFT, Method.WASSERSTEIN, Bounds()),
        (ResultKind.DRIFT, Method.CHI2, Bounds()),
        (ResultKind.QUALITY, Quality.MISSING_VALUES, Bounds()),
    ],
)
def test_a_short_reference_gives_constants(kind: ResultKind, method: str, expected: Bounds, usable: int) -> None:
    values = (*EIGHT[:usable], None, float("nan"), None)
    assert bounds_for(SPEC, kind, method, values) == expected


def test_a_short_reference_is_said_to_be_one() -> None:
    note = bounds_note(SPEC, Metric.F1, (*EIGHT[:3], None))
    assert note is not None
    assert "3 usable chunks, fewer than 4" in note
    assert bounds_note(SPEC, Metric.F1, EIGHT[:4]) is None
    assert bounds_note(SPEC, Method.CHI2, ()) is None
    assert bounds_note(NANNYML, Metric.F1, EIGHT[:1]) is None
    assert bounds_note(NANNYML, Metric.F1, ()) is not None


def test_undefined_reference_chunks_do_not_count() -> None:
    assert bounds_for(SPEC, ResultKind.REALIZED, Metric.F1, (*EIGHT, None)) == bounds_for(
        SPEC, ResultKind.REALIZED, Metric.F1, EIGHT
    )


@pytest.mark.parametrize("spec", [SPEC, NANNYML])
def test_chi2_is_left_to_its_p_value(spec: Spec) -> None:
    assert bounds_for(spec, ResultKind.DRIFT, Method.CHI2, EIGHT) == Bounds()
    assert compare(Method.JENSEN_SHANNON, 99.0, Bounds(), p_value=0.049) is State.WARN
    assert compare(Method.JENSEN_SHANNON, 99.0, Bounds(), p_value=0.05) is State.OK


@pytest.mark.parametrize(
    ("kind", "method", "value", "state"),
    [
        (ResultKind.REALIZED, Metric.F1, 0.39, State.ALERT),
        (ResultKind.REALIZED, Metric.F1, 0.40, State.WARN),
        (ResultKind.REALIZED, Metric.F1, 0.44, State.WARN),
        (ResultKind.REALIZED, Metric.F1, 0.45, State.OK),
        (ResultKind.REALIZED, Metric.F1, 0.99, State.OK),
        (ResultKind.ESTIMATED, Metric.RMSE, 0.39, State.OK),
        (ResultKind.ESTIMATED, Metric.RMSE, 0.56, State.WARN),
        (ResultKind.REALIZED, Metric.BRIER, 0.61, State.ALERT),
        (ResultKind.REALIZED, Metric.FALSE_POSITIVES, 0.61, State.OK),
        (ResultKind.REALIZED, "confusion_matrix:a:b", 0.39, State.OK),
        (ResultKind.DRIFT, Method.WASSERSTEIN, 0.01, State.OK),
        (ResultKind.DRIFT, Method.WASSERSTEIN, 0.55, State.OK),
        (ResultKind.DRIFT, Method.WASSERSTEIN, 0.56, State.WARN),
        (ResultKind.QUALITY, Quality.MISSING_VALUES, 0.61, State.ALERT),
        (ResultKind.QUALITY, Quality.ROW_COUNT, 0.39, State.ALERT),
        (ResultKind.STATISTIC, "quantiles:0.25", 0.44, State.WARN),
    ],
)
def test_only_the_worse_side_counts(kind: ResultKind, method: str, value: float, state: State) -> None:
    both = Bounds(lower=0.45, upper=0.55, alert_lower=0.40, alert_upper=0.60)
    assert compare(method, value, both) is state


@given(st.lists(shares, min_size=4, max_size=40))
def test_bounds_nest_and_stay_in_range(values: list[float]) -> None:
    performance = bounds_for(SPEC, ResultKind.REALIZED, Metric.F1, values)
    drift = bounds_for(SPEC, ResultKind.DRIFT, Method.JENSEN_SHANNON, values)
    assert performance.alert_lower is not None
    assert performance.lower is not None
    assert drift.upper is not None
    assert drift.alert_upper is not None
    assert 0 <= performance.alert_lower <= performance.lower <= 1
    assert 0 <= drift.upper <= drift.alert_upper <= 1


@given(st.lists(shares, min_size=0, max_size=12))
def test_bounds_do_not_depend_on_the_order_of_chunks(values: list[float]) -> None:
    backwards = values[::-1]
    for kind, method in ((ResultKind.REALIZED, Metric.F1), (ResultKind.DRIFT, Method.WASSERSTEIN)):
        assert bounds_for(SPEC, kind, method, values) == bounds_for(SPEC, kind, method, backwards)


def test_nannyml_uses_the_population_deviation_on_both_sides() -> None:
    spread = SD * sqrt(7 / 8)
    bounds = bounds_for(NANNYML, ResultKind.REALIZED, Metric.F1, EIGHT)
    assert bounds.lower is not None
    assert bounds.upper is not None
    assert isclose(bounds.lower, MEAN - 3 * spread)
    assert isclose(bounds.upper, MEAN + 3 * spread)
    assert (bounds.alert_lower, bounds.alert_upper) == (bounds.lower, bounds.upper)


def test_nannyml_takes_even_one_chunk_and_none_gives_no_bounds() -> None:
    assert bounds_for(NANNYML, ResultKind.REALIZED, Metric.F1, [0.5]).lower == 0.5
    assert bounds_for(NANNYML, ResultKind.REALIZED, Metric.F1, [None]) == Bounds()
