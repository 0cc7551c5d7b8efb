"""Hellinger, L-infinity and exact distances against NannyML 0.13.1 itself, to 1e-9."""

from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from driftline.engine.chunks import by_chunk
from driftline.engine.evaluate import evaluate_chunk
from driftline.engine.reference import fit_reference
from driftline.engine.results import EVENT_TIME, Kind, Method, Result, State
from driftline.engine.spec import ColumnKind, ColumnSpec, ModelSpec, Period, ThresholdPolicy
from tests.unit.engine.conftest import Example

pytestmark = pytest.mark.filterwarnings("ignore")
CONTINUOUS, CATEGORICAL = ("car_value", "driver_tenure"), ("salary_range", "size_of_downpayment")
SPEC = ModelSpec(
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


def _naive(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{EVENT_TIME: rows[EVENT_TIME].dt.tz_localize(None)})


def _ours(spec: ModelSpec, reference: pd.DataFrame, analysis: pd.DataFrame) -> list[dict[tuple[str, str], Result]]:
    fitted = fit_reference(reference, spec)
    found = [evaluate_chunk(fitted, spec, rows) for _, rows in by_chunk(analysis, spec.period, spec.zone)]
    return [{(r.subject, r.method): r for r in results if r.kind is Kind.DRIFT} for results in found]


def _theirs(
    nannyml: ModuleType, spec: ModelSpec, reference: pd.DataFrame, analysis: pd.DataFrame, exact: bool
) -> pd.DataFrame:
    # Where it knows a method by name, NannyML reads the way of calculating beside that name, not under it.
    how = {**{str(method): {} for method in spec.continuous_methods}, "calculation_method": "exact"} if exact else None
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*CONTINUOUS, *CATEGORICAL],
        treat_as_categorical=list(CATEGORICAL),
        timestamp_column_name=EVENT_TIME,
        continuous_methods=[str(method) for method in spec.continuous_methods],
        categorical_methods=[str(method) for method in spec.categorical_methods],
        chunk_period="W",
        computation_params=how,
    ).fit(_naive(reference))
    frame: pd.DataFrame = calculator.calculate(_naive(analysis)).filter(period="analysis").to_df()
    return frame


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
    spec, rows = SPEC, 4_000
    if exact:
        methods = (Method.KOLMOGOROV_SMIRNOV, Method.WASSERSTEIN)
        spec, rows = SPEC.model_copy(update={"continuous_methods": methods, "exact_distances": True}), 11_000
    ours = _ours(spec, reference[:rows], analysis)
    theirs = _theirs(nannyml, spec, reference[:rows], analysis, exact)
    assert len(theirs) == len(ours) > 0
    for column, method in ours[0]:
        if column not in {*CONTINUOUS, *CATEGORICAL}:
            continue
        for number, results in enumerate(ours):
            result, row = results[column, method], theirs.iloc[number][column][method]
            assert result.value == pytest.approx(row["value"], rel=1e-9, abs=1e-9)
            assert result.bounds.upper == pytest.approx(row["upper_threshold"], rel=1e-9, abs=1e-9)
            assert (result.bounds.lower, row["lower_threshold"]) == (None, None)
            assert (result.state is State.WARN) == bool(row["alert"])
