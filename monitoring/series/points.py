"""The points of a closed chunk: its description, its results, and its verdict events. No I/O here.

What they say never changes, since a closed chunk that changes has a new revision, and a changed verdict a new sequence:
a database need not be able to replace a point.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from driftline.engine.results import Result, State
from monitoring.poll.results.revisions import Revision
from monitoring.series.line_protocol import FieldValue, Point

CHUNK, RESULT, VERDICT_EVENT = "driftline_chunk", "driftline_result", "driftline_verdict_event"
"""The measurements."""
LEVELS: Mapping[str, int] = {State.OK: 0, State.WARN: 1, State.ALERT: 2}
NO_LEVEL = -1
"""The level of the states that are no answer, such as `pending_labels`."""
Fields = dict[str, FieldValue | None]


@dataclass(frozen=True, slots=True)
class SeriesEvent:
    """A verdict event of a closed chunk: the verdict number `sequence` on a revision, and the state before."""

    revision: int
    sequence: int
    state_before: str | None
    state: str
    provisional: bool
    backfill: bool
    derived_at: datetime


@dataclass(frozen=True, slots=True)
class SeriesChunk:
    """A revision of a closed chunk with everything that is sent of it; `events` are those of all its revisions."""

    model: str
    version: int
    revision: Revision
    results: tuple[Result, ...]
    events: tuple[SeriesEvent, ...]


def points_of(chunk: SeriesChunk) -> Iterator[Point]:
    """Yield the points of a chunk, all at its start."""
    model, start = {"model": chunk.model, "version": str(chunk.version)}, chunk.revision.chunk.start
    tags = {**model, "revision": str(chunk.revision.number)}
    yield Point(CHUNK, tags, _chunk_fields(chunk.revision), start)
    for result in chunk.results:
        yield Point(RESULT, tags | _result_tags(result), _result_fields(result), start)
    for event in chunk.events:
        identity = {"revision": str(event.revision), "sequence": str(event.sequence)}
        yield Point(VERDICT_EVENT, model | identity, _event_fields(event), start)


def _chunk_fields(revision: Revision) -> Fields:
    """Return the fields of a chunk; times are in seconds since 1970."""
    return {
        "end": int(revision.chunk.end.timestamp()),
        "rows": revision.rows,
        "labelled": revision.labelled,
        "spec_revision": revision.provenance.spec_revision,
        "code_version": revision.provenance.code_version,
        "computed_at": revision.computed_at.timestamp(),
    }


def _result_tags(result: Result) -> dict[str, str]:
    """Return the tags of a result; an empty one, as of all rows, is left out."""
    return {
        "subject_kind": str(result.subject_kind),
        "subject": result.subject,
        "segment": result.segment or "",
        "kind": str(result.kind),
        "method": result.method,
    }


def _result_fields(result: Result) -> Fields:
    """Return the fields of a result; one without a value has none."""
    bounds = result.bounds
    return {
        "value": result.value,
        "lower": bounds.lower,
        "upper": bounds.upper,
        "alert_lower": bounds.alert_lower,
        "alert_upper": bounds.alert_upper,
        "sampling_error": result.sampling_error,
        "p_value": result.p_value,
        "effect": result.effect,
        "rows": result.rows,
        "state": str(result.state),
        "level": _level(result.state),
    }


def _event_fields(event: SeriesEvent) -> Fields:
    return {
        "state": event.state,
        "state_before": event.state_before,
        "level": _level(event.state),
        "provisional": event.provisional,
        "backfill": event.backfill,
        "derived_at": event.derived_at.timestamp(),
    }


def _level(state: str) -> int:
    return LEVELS.get(state, NO_LEVEL)
