"""Builds chunks and results for the tests of verdicts, with defaults of a healthy daily chunk with all labels."""

from datetime import UTC, datetime, timedelta

from driftline.engine.results import MODEL, Bounds, Method, Metric, Quality, Result, ResultKind, State
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts

ORIGIN = datetime(2024, 1, 1, tzinfo=UTC)
ONE_METRIC = Spec(columns=(ColumnSpec(name="x"),), metrics=(Metric.F1,))
LOWER = Bounds(lower=0.47, alert_lower=0.42, expected=0.52)
UPPER = Bounds(upper=0.12, alert_upper=0.2, expected=0.05)


def realized(
    value: float | None, metric: Metric = Metric.F1, bounds: Bounds = LOWER, reason: str | None = None
) -> Result:
    return performance(ResultKind.REALIZED, value, metric, bounds, reason)


def estimated(
    value: float | None, metric: Metric = Metric.F1, bounds: Bounds = LOWER, reason: str | None = None
) -> Result:
    return performance(ResultKind.ESTIMATED, value, metric, bounds, reason)


def performance(kind: ResultKind, value: float | None, metric: Metric, bounds: Bounds, reason: str | None) -> Result:
    state = State.OK if value is not None else State.INSUFFICIENT
    return Result(MODEL, kind, metric, value, 1000, state, bounds, sampling_error=0.01, reason=reason)


def drift(
    value: float,
    method: Method = Method.JENSEN_SHANNON,
    column: str = "x",
    bounds: Bounds = UPPER,
    p_value: float | None = None,
    effect: float | None = None,
) -> Result:
    return Result(column, ResultKind.DRIFT, method, value, 1000, State.OK, bounds, p_value=p_value, effect=effect)


def missing(share: float, effect: float, column: str = "x", bounds: Bounds = UPPER) -> Result:
    return Result(column, ResultKind.QUALITY, Quality.MISSING_VALUES, share, 1000, State.OK, bounds, effect=effect)


def chunk(
    *results: Result,
    day: int = 10,
    closed: bool = True,
    labels_due: bool = True,
    rows: int = 1000,
    labelled: int | None = None,
) -> ChunkFacts:
    start = ORIGIN + timedelta(days=day)
    labels = rows if labelled is None else labelled
    return ChunkFacts(start, start + timedelta(days=1), closed, labels_due, rows, labels, results)


def unlabelled(*results: Result, day: int = 10, closed: bool = True) -> ChunkFacts:
    return chunk(*results, day=day, closed=closed, labels_due=False, labelled=0)
