"""Builds chunk reports for the tests of what people see: healthy days with all labels, unless arguments change them."""

from datetime import UTC, datetime, timedelta

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import MODEL, Bounds, Method, Metric, Result, ResultKind, State, Verdict
from driftline.engine.spec import ColumnSpec, Spec
from driftline.report.view import ChunkView
from monitoring.poll.results.revisions import Provenance, Revision

ORIGIN = datetime(2026, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SPEC = Spec(columns=(ColumnSpec(name="minutes"),), metrics=(Metric.F1,), label_delay=3 * DAY)


def revision(day: int, rows: int = 1000, labelled: int = 1000, *, closed: bool = True, number: int = 1) -> Revision:
    start = ORIGIN + day * DAY
    origin = Provenance(1, "r" * 64, "0.1.0", (1,), None)
    return Revision(number, Chunk(start, start + DAY), closed, rows, labelled, "c" * 64, origin, ORIGIN)


def report(
    day: int,
    *results: Result,
    state: State = State.OK,
    rows: int = 1000,
    labelled: int = 1000,
    closed: bool = True,
    labels_due: bool = True,
    waiting: bool = False,
    drifted: tuple[str, ...] = (),
    reason: str = "It is so.",
) -> ChunkView:
    """Return the view of a day's chunk."""
    start = ORIGIN + day * DAY
    verdict = Verdict(state, (reason,), provisional=not (closed and labels_due), drifted=drifted)
    return ChunkView(
        start=start,
        end=start + DAY,
        rows=rows,
        labelled=labelled if rows else 0,
        closed=closed,
        labels_due=labels_due,
        verdict=verdict,
        results=results,
        waiting=waiting,
        revision=1 if rows else None,
        computed_at=ORIGIN if rows else None,
    )


def realized(value: float | None, lower: float | None = 0.5) -> Result:
    state = State.INSUFFICIENT if value is None else State.OK
    return Result(MODEL, ResultKind.REALIZED, Metric.F1, value, 1000, state, Bounds(lower=lower, alert_lower=0.4))


def estimated(value: float, error: float | None = 0.01) -> Result:
    bounds = Bounds(lower=0.5, alert_lower=0.4)
    return Result(MODEL, ResultKind.ESTIMATED, Metric.F1, value, 1000, State.OK, bounds, sampling_error=error)


def drift(
    value: float | None,
    upper: float | None = 0.2,
    *,
    effect: float | None = None,
    p_value: float | None = None,
    method: Method = Method.JENSEN_SHANNON,
) -> Result:
    state = State.INSUFFICIENT if value is None else State.OK
    reason = "too few rows" if value is None else None
    bounds = Bounds(upper=upper)
    return Result(
        "minutes", ResultKind.DRIFT, method, value, 1000, state, bounds, effect=effect, p_value=p_value, reason=reason
    )
