"""A delay model trained on January's flights and watched through 2013, against NannyML 0.13.1 itself, to 1e-9."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import (
    EVENT_TIME,
    ID,
    LABEL,
    MODEL,
    PREDICTION,
    SCORE,
    Method,
    Quality,
    Result,
    ResultKind,
    State,
)
from driftline.engine.spec import ColumnSpec, Period, Spec, ThresholdPolicy
from tests.integration.engine.oracle import (
    ChunkResults,
    Rows,
    assert_same,
    assert_same_frame,
    named,
    results_of,
    same,
    theirs_of,
    with_classes,
)

FLIGHTS = Path(__file__).parents[3] / "docs" / "flights.csv.gz"
CONTINUOUS, CATEGORICAL = ("hour", "distance"), ("carrier", "origin", "weekday")
SPEC = Spec(
    columns=(
        *(ColumnSpec(name=name) for name in CONTINUOUS),
        *(ColumnSpec(name=name, kind=ColumnKind.CATEGORICAL) for name in CATEGORICAL),
    ),
    period=Period.MONTH,
    minimum_rows=2,
    minimum_class_rows=1,
    continuous_methods=(Method.JENSEN_SHANNON, Method.KOLMOGOROV_SMIRNOV, Method.WASSERSTEIN, Method.HELLINGER),
    categorical_methods=(Method.JENSEN_SHANNON, Method.HELLINGER, Method.L_INFINITY, Method.CHI2),
    thresholds=ThresholdPolicy.NANNYML,
)


@pytest.fixture(scope="module")
def flights() -> Rows:
    """Every fourth flight, in the order in which we read rows: by time and id; February to May are the reference."""
    read = pd.read_csv(FLIGHTS)[::4].rename(columns={"departure": EVENT_TIME, "late": LABEL, "score": SCORE})
    read[EVENT_TIME] = pd.to_datetime(read[EVENT_TIME], utc=True)
    read[ID] = read.index.astype(str).str.zfill(6)
    read[PREDICTION] = (read[SCORE] > 0.3).astype(int)
    rows = read.sort_values([EVENT_TIME, ID])
    return rows[rows[EVENT_TIME] < "2013-06-01"], rows[rows[EVENT_TIME].between("2013-06-01", "2013-12-31")]


@pytest.fixture(scope="module")
def computed(flights: Rows) -> ChunkResults:
    chunks = results_of(flights, SPEC)
    assert len(chunks) == 7
    return chunks


def _pairs(
    computed: ChunkResults, theirs: pd.DataFrame, key: tuple[str, str, str], *names: str
) -> list[tuple[Result, Any]]:
    return list(zip([chunk[key] for chunk in computed], named(theirs, *names), strict=True))


@pytest.mark.parametrize("kind", [ResultKind.REALIZED, ResultKind.ESTIMATED])
def test_performance(nannyml: ModuleType, flights: Rows, computed: ChunkResults, kind: ResultKind) -> None:
    calculator = {ResultKind.REALIZED: nannyml.PerformanceCalculator, ResultKind.ESTIMATED: nannyml.CBPE}[kind](
        y_pred_proba=SCORE,
        y_pred=PREDICTION,
        y_true=LABEL,
        timestamp_column_name=EVENT_TIME,
        problem_type="classification_binary",
        metrics=[metric.value for metric in SPEC.metrics],
        chunk_period="M",
    )
    theirs = theirs_of(calculator, with_classes(flights))
    for metric in SPEC.metrics:
        for result, row in _pairs(computed, theirs, (MODEL, kind, metric), metric.value):
            assert_same(result, row)


def test_drift(nannyml: ModuleType, flights: Rows, computed: ChunkResults) -> None:
    categorical = (*CATEGORICAL, PREDICTION)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=[*CONTINUOUS, SCORE, *categorical],
        treat_as_categorical=list(categorical),
        timestamp_column_name=EVENT_TIME,
        continuous_methods=list(SPEC.continuous_methods),
        categorical_methods=list(SPEC.categorical_methods),
        chunk_period="M",
    )
    theirs = theirs_of(calculator, flights)
    drift = [key for key in computed[0] if key[1] is ResultKind.DRIFT]
    assert len(drift) == 3 * 4 + 4 * 4
    for key in drift:
        for result, row in _pairs(computed, theirs, key, key[0], key[2]):
            assert same(result.value, row["value"]), (result, row)
            assert key[2] == Method.CHI2 or same(result.bounds.upper, row["upper_threshold"]), (result, row)
            assert (result.state is State.WARN) == bool(row["alert"]), (result, row)


def test_missing_values(nannyml: ModuleType, flights: Rows, computed: ChunkResults) -> None:
    columns = [*CONTINUOUS, *CATEGORICAL]
    calculator = nannyml.MissingValuesCalculator(
        column_names=columns, timestamp_column_name=EVENT_TIME, chunk_period="M"
    )
    theirs = theirs_of(calculator, flights)
    for column in columns:
        for result, row in _pairs(computed, theirs, (column, ResultKind.QUALITY, Quality.MISSING_VALUES), column):
            assert same(result.value, row["value"])
            assert_same_frame(result, row)
