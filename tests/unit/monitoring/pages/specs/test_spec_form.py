"""Every threshold that the form offers can be saved."""

import pytest

from driftline.engine.catalogue import COLUMN_METHODS, METRICS, MULTIVARIATE_METHODS, ColumnKind, Problem
from driftline.engine.results import Method, Metric
from driftline.engine.spec import ColumnSpec, Spec
from monitoring.pages.specs.spec_form import changes_of, form_values, threshold_fields


def spec_of(problem: Problem) -> Spec:
    """Return a spec with all metrics and drift methods that it can have."""
    return Spec(
        problem=problem,
        classes=("a", "b") if problem is Problem.MULTICLASS else (),
        columns=(ColumnSpec(name="amount"), ColumnSpec(name="plan", kind=ColumnKind.CATEGORICAL)),
        metrics=tuple(metric for metric in METRICS[problem] if metric is not Metric.BUSINESS_VALUE),
        continuous_methods=tuple(COLUMN_METHODS[ColumnKind.CONTINUOUS]),
        categorical_methods=tuple(COLUMN_METHODS[ColumnKind.CATEGORICAL]),
        multivariate_methods=tuple(MULTIVARIATE_METHODS),
    )


@pytest.mark.parametrize("problem", [*Problem])
def test_all_offered_thresholds_make_a_valid_spec(problem: Problem) -> None:
    spec = spec_of(problem)
    methods = [field.method for field in threshold_fields(spec, {})]
    texts = {f"{side}.{method}": value for method in methods for side, value in (("lower", "0.1"), ("upper", "0.9"))}
    changes = changes_of(spec, form_values(spec) | texts)
    revised = Spec.model_validate(spec.model_dump(mode="json") | changes)
    assert set(revised.threshold_overrides) == set(methods)
    assert Method.JENSEN_SHANNON in methods
    assert Method.CHI2 not in methods
