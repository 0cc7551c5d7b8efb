"""Every regression value, bound and sampling error against NannyML 0.13.1 itself, on its own example data, to 1e-9."""

from importlib import resources
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from driftline.engine.catalogue import METRICS, ColumnKind, Problem
from driftline.engine.results import EVENT_TIME, ID, LABEL, MODEL, PREDICTION, ResultKind, State
from driftline.engine.spec import ColumnSpec, Period, Spec, ThresholdPolicy
from tests.integration.engine.oracle import ChunkResults, Rows, assert_same, named, results_of, same, theirs_of

CONTINUOUS = ("car_age", "km_driven", "price_new", "accident_count", "door_count")
CATEGORICAL = ("fuel", "transmission")
SPEC = Spec(
    problem=Problem.REGRESSION,
    columns=(
        *(ColumnSpec(name=name) for name in CONTINUOUS),
        *(ColumnSpec(name=name, kind=ColumnKind.CATEGORICAL) for name in CATEGORICAL),
    ),
    period=Period.WEEK,
    minimum_rows=2,
    metrics=METRICS[Problem.REGRESSION],
    thresholds=ThresholdPolicy.NANNYML,
)


@pytest.fixture(scope="module")
def cars(nannyml: ModuleType) -> Rows:
    """Two slices of NannyML's car price data: 1,500 reference rows, and later drifted ones, of some weeks each."""
    folder = resources.files(nannyml) / "datasets" / "data"
    reference, analysis, labels = (
        pd.read_csv(str(folder / f"regression_synthetic_{part}.csv"))
        for part in ("reference", "analysis", "analysis_targets")
    )
    return _in_our_shape(reference[::40]), _in_our_shape(analysis.merge(labels, on="id")[-24_000::24])


def _in_our_shape(rows: pd.DataFrame) -> pd.DataFrame:
    shaped = rows.rename(columns={"id": ID, "timestamp": EVENT_TIME, "y_pred": PREDICTION, "y_true": LABEL})
    shaped[EVENT_TIME] = pd.to_datetime(shaped[EVENT_TIME], utc=True)
    return shaped


def _with_gaps(rows: pd.DataFrame, names: tuple[str, ...], seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return rows.assign(**{name: rows[name].mask(rng.random(len(rows)) < 0.1, None) for name in names})


@pytest.fixture(scope="module", params=["whole", "gaps"])
def case(request: pytest.FixtureRequest, cars: Rows) -> Rows:
    """With `gaps` features, labels and predictions are missing in places, and the analysis has an unseen category."""
    reference, analysis = cars
    if request.param == "whole":
        return cars
    names = (*CONTINUOUS, *CATEGORICAL, LABEL, PREDICTION)
    unseen = analysis.assign(fuel=analysis["fuel"].mask(analysis.index % 7 == 0, "steam"))
    return _with_gaps(reference, names, 1), _with_gaps(unseen, names, 2)


@pytest.fixture(scope="module")
def computed(case: Rows) -> ChunkResults:
    chunks = results_of(case, SPEC)
    assert len(chunks) >= 2
    assert all(result.value is not None for chunk in chunks for result in chunk.values())
    return chunks


def _same_performance(theirs: pd.DataFrame, computed: ChunkResults, kind: ResultKind) -> None:
    assert len(theirs) == len(computed)
    assert len(SPEC.metrics) == 6
    for metric in SPEC.metrics:
        for chunk, row in zip(computed, named(theirs, metric.value), strict=True):
            result = chunk[MODEL, kind, metric]
            assert_same(result, row)


def test_realized_values_bounds_and_errors(nannyml: ModuleType, case: Rows, computed: ChunkResults) -> None:
    calculator = nannyml.PerformanceCalculator(
        y_pred=PREDICTION,
        y_true=LABEL,
        timestamp_column_name=EVENT_TIME,
        problem_type="regression",
        metrics=[metric.value for metric in SPEC.metrics],
        chunk_period="W",
    )
    _same_performance(theirs_of(calculator, case), computed, ResultKind.REALIZED)


def test_estimated_values_bounds_and_errors(nannyml: ModuleType, case: Rows, computed: ChunkResults) -> None:
    """NannyML estimates rows without a prediction too; we leave them out (docs/deviations.md)."""
    estimator = nannyml.DLE(
        feature_column_names=[*CONTINUOUS, *CATEGORICAL],
        y_pred=PREDICTION,
        y_true=LABEL,
        timestamp_column_name=EVENT_TIME,
        metrics=[metric.value for metric in SPEC.metrics],
        chunk_period="W",
        hyperparameters={"n_jobs": 1, "verbosity": -1},  # its defaults but for these; two threads may round otherwise
    )
    predicted = case[0], case[1].dropna(subset=[PREDICTION])
    _same_performance(theirs_of(estimator, predicted), computed, ResultKind.ESTIMATED)


def test_drift_of_a_numeric_prediction(nannyml: ModuleType, case: Rows, computed: ChunkResults) -> None:
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[PREDICTION],
        timestamp_column_name=EVENT_TIME,
        continuous_methods=list(SPEC.continuous_methods),
        chunk_period="W",
    )
    theirs = theirs_of(calculator, case)
    for method in SPEC.continuous_methods:
        for chunk, row in zip(computed, named(theirs, PREDICTION, method), strict=True):
            result = chunk[PREDICTION, ResultKind.DRIFT, method]
            assert same(result.value, row["value"]), (result, row)
            assert (result.state is State.WARN) == bool(row["alert"]), (result, row)
