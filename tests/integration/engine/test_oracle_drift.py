"""Hellinger, L-infinity and exact distances against NannyML 0.13.1 itself, to 1e-9."""

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, Method, ResultKind, State
from driftline.engine.spec import ColumnSpec, Period, Spec, ThresholdPolicy
from tests.integration.engine.conftest import Example
from tests.integration.engine.oracle import named, results_of, same, theirs_of

pytestmark = pytest.mark.filterwarnings("ignore")
CONTINUOUS, CATEGORICAL = ("car_value", "driver_tenure"), ("salary_range", "size_of_downpayment")
SPEC = Spec(
    columns=(
        *(ColumnSpec(name=name) for name in CONTINUOUS),
        *(ColumnSpec(name=name, kind=ColumnKind.CATEGORICAL) for name in CATEGORICAL),
    ),
    period=Period.WEEK,
    minimum_rows=2,
    minimum_class_rows=1,
    thresholds=ThresholdPolicy.NANNYML,
    continuous_methods=(Method.HELLINGER,),
    categorical_methods=(Method.HELLINGER, Method.L_INFINITY),
)


def _calculator(nannyml: ModuleType, spec: Spec, exact: bool) -> Any:
    # Where it knows a method by name, NannyML reads the way of calculating beside that name, not under it.
    how = {**{str(method): {} for method in spec.continuous_methods}, "calculation_method": "exact"} if exact else None
    return nannyml.UnivariateDriftCalculator(
        column_names=[*CONTINUOUS, *CATEGORICAL],
        treat_as_categorical=list(CATEGORICAL),
        timestamp_column_name=EVENT_TIME,
        continuous_methods=[str(method) for method in spec.continuous_methods],
        categorical_methods=[str(method) for method in spec.categorical_methods],
        chunk_period="W",
        computation_params=how,
    )


def _with_strays(rows: pd.DataFrame) -> pd.DataFrame:
    """Values beyond the reference's range and categories that it has not."""
    at = np.random.default_rng(1).random(len(rows))
    return rows.assign(
        car_value=rows["car_value"].mask(at < 0.1, 1e6),
        salary_range=rows["salary_range"].mask(at < 0.1, "new").mask(at > 0.95, "newer"),
    )


@pytest.mark.parametrize("exact", [False, True])
def test_values_and_bounds(nannyml: ModuleType, example: Example, exact: bool) -> None:
    reference, analysis = example("_dq")
    analysis = _with_strays(analysis[-3_000:])
    spec, size = SPEC, 4_000
    if exact:
        methods = (Method.KOLMOGOROV_SMIRNOV, Method.WASSERSTEIN)
        spec, size = SPEC.model_copy(update={"continuous_methods": methods, "exact_distances": True}), 11_000
    rows = reference[:size], analysis
    computed = results_of(rows, spec)
    theirs = theirs_of(_calculator(nannyml, spec, exact), rows)
    assert len(theirs) == len(computed) > 0
    drift = [key for key in computed[0] if key[0] in {*CONTINUOUS, *CATEGORICAL} and key[1] is ResultKind.DRIFT]
    assert len(drift) == len(CONTINUOUS) * len(spec.continuous_methods) + 2 * len(CATEGORICAL)
    for column, kind, method in drift:
        for chunk, row in zip(computed, named(theirs, column, method), strict=True):
            result = chunk[column, kind, method]
            assert same(result.value, row["value"]), (result, row)
            assert same(result.bounds.upper, row["upper_threshold"]), (result, row)
            assert (result.bounds.lower, row["lower_threshold"]) == (None, None)
            assert (result.state is State.WARN) == bool(row["alert"])
