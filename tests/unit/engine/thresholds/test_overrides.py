"""Thresholds that a spec gives itself, instead of the policy's."""

from math import isnan
from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from driftline.engine.evaluation.evaluate import evaluate_chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import Bounds, Method, Metric, Quality, ResultKind, State
from driftline.engine.spec import ColumnSpec, Spec, ThresholdPolicy
from driftline.engine.threshold_override import ConstantThreshold, StandardDeviationThreshold, ThresholdOverride
from driftline.engine.thresholds.comparison import compare
from driftline.engine.thresholds.policies import bounds_for, bounds_note
from driftline.engine.verdicts.drift_rule import drift_reasons
from tests.unit.engine.chunk_builders import chunk, drift
from tests.unit.engine.frame_builders import SPEC, scored_rows
from tests.unit.engine.thresholds_drawn import THRESHOLDS

ONE_COLUMN = Spec(columns=(ColumnSpec(name="x"),))
NANNYML = ONE_COLUMN.model_copy(update={"thresholds": ThresholdPolicy.NANNYML})


def _with(method: str, threshold: ThresholdOverride, spec: Spec = ONE_COLUMN) -> Spec:
    return Spec.model_validate({**spec.model_dump(), "threshold_overrides": {method: threshold}})


def test_pca_has_no_lower_bound_at_0_or_below() -> None:
    for spec in (NANNYML, _with(Method.PCA_RECONSTRUCTION, StandardDeviationThreshold())):
        lower = [
            bounds_for(spec, ResultKind.MULTIVARIATE, Method.PCA_RECONSTRUCTION, values).lower
            for values in ([1.0, 1.1, 0.9], [1.0, 2.0, 0.0])
        ]
        assert lower == [pytest.approx(0.755, abs=1e-3), None]


def test_without_reference_chunks_only_a_constant_has_bounds() -> None:
    spread = _with(Metric.F1, StandardDeviationThreshold())
    assert bounds_for(spread, ResultKind.REALIZED, Metric.F1, [None, float("nan")]) == Bounds()
    constant = bounds_for(_with(Metric.F1, ConstantThreshold(lower=0.4)), ResultKind.REALIZED, Metric.F1, [])
    assert constant == Bounds(lower=0.4, alert_lower=0.4)
    assert bounds_note(spread, Metric.F1, []) is None


def test_it_goes_before_the_policy_and_names_its_method_alone() -> None:
    spec = _with(Metric.F1, ConstantThreshold(lower=0.4, upper=0.9))
    values = [0.5, 0.52, 0.48, 0.5]
    assert bounds_for(spec, ResultKind.ESTIMATED, Metric.F1, values).lower == 0.4
    assert bounds_for(spec, ResultKind.REALIZED, Metric.ACCURACY, values) == bounds_for(
        ONE_COLUMN, ResultKind.REALIZED, Metric.ACCURACY, values
    )
    assert compare(Metric.F1, 0.95, bounds_for(spec, ResultKind.REALIZED, Metric.F1, values)) is State.OK


def test_one_threshold_is_for_all_numbers_of_its_method() -> None:
    spec = _with("quantiles", ConstantThreshold(upper=3.0))
    assert bounds_for(spec, ResultKind.STATISTIC, "quantiles:0.25", [1.0]).upper == 3
    cells = _with(Metric.CONFUSION_MATRIX, ConstantThreshold(upper=9.0))
    assert bounds_for(cells, ResultKind.REALIZED, Metric.FALSE_POSITIVES, [1.0]).upper == 9


@pytest.mark.parametrize(
    ("thresholds", "message"),
    [
        (
            {"psj": {"type": "constant", "upper": 0.1}},
            "no threshold for psj; available: accuracy, .*psi",
        ),
        ({"chi2": {"type": "constant", "upper": 0.1}}, "there is no threshold for chi2"),
        ({"psi": {"type": "constant", "lower": 0.2, "upper": 0.1}}, "lower threshold 0.2 must be less than"),
        ({"psi": {"type": "standard_deviation", "std_upper_multiplier": -1}}, "greater than or equal to 0"),
        ({"psi": {"type": "constant", "upper": "nan"}}, "finite number"),
        ({"domain_classifier": {"type": "standard_deviation"}}, "domain_classifier takes a constant threshold"),
        ({"psi": {"type": "quantile"}}, "'constant', 'standard_deviation'"),
    ],
)
def test_a_wrong_threshold_says_what_there_is(thresholds: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Spec.model_validate({"columns": [{"name": "x"}], "threshold_overrides": thresholds})


@given(THRESHOLDS)
def test_it_comes_back_from_json_as_it_was(threshold: ThresholdOverride) -> None:
    spec = _with(Method.PSI, threshold)
    assert Spec.model_validate_json(spec.model_dump_json()) == spec


def test_in_the_verdict_it_stands_for_the_effect_floor_too() -> None:
    """Who says 0.02 means 0.02; and who takes the bounds away is not told of drift."""
    narrow = drift(0.05, bounds=Bounds(upper=0.02, alert_upper=0.02))
    assert drift_reasons(ONE_COLUMN, chunk(narrow)) == {}
    assert drift_reasons(_with(Method.JENSEN_SHANNON, ConstantThreshold(upper=0.02)), chunk(narrow))
    without = drift(0.5, bounds=Bounds())
    assert drift_reasons(ONE_COLUMN, chunk(without))
    assert drift_reasons(_with(Method.JENSEN_SHANNON, ConstantThreshold()), chunk(without)) == {}


def test_a_chunk_is_held_against_it() -> None:
    overrides = {
        Method.PSI.value: ConstantThreshold(upper=1e-6),
        Quality.MISSING_VALUES.value: StandardDeviationThreshold(std_lower_multiplier=None, std_upper_multiplier=0.0),
    }
    spec = SPEC.model_copy(update={"threshold_overrides": overrides, "continuous_methods": (Method.PSI,)})
    fitted = fit_reference(scored_rows(2_000, days=8), spec)
    results = {(r.subject, r.method): r for r in evaluate_chunk(fitted, spec, scored_rows(500, seed=4))}
    assert results["usage", Method.PSI].bounds.upper == 1e-6
    assert results["usage", Method.PSI].state is State.WARN
    missing = results["usage", Quality.MISSING_VALUES]
    assert missing.bounds.upper == missing.bounds.expected
    assert missing.bounds.lower is None
    assert not isnan(missing.value or 0.0)
