"""The outbox of verdicts: each change is an event, written in the verdict's transaction, pending for each consumer."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, insert, select

from driftline.clock import naive_utc
from driftline.engine.results import State, Verdict
from driftline.store.tables import chunk_revisions, pending_events, verdict_events
from driftline.store.version_key import VersionKey
from monitoring.poll.results.revisions import Revision
from monitoring.poll.results.stored_evidence import merged_evidence

BACKFILL_LENGTHS = 3
"""The first verdict of a chunk that ended this many of its lengths before the model's clock is a backfill."""


class EventConsumer(StrEnum):
    """Who takes verdict events; each has its own pending rows."""

    INCIDENTS = "incidents"
    ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class VerdictEvent:
    """A new current verdict of a chunk: on which revision, its sequence, and the state before, None if it is the first.

    `backfill` marks the first verdict of a closed chunk long after its end.
    """

    revision: Revision
    sequence: int
    state_before: State | None
    verdict: Verdict
    backfill: bool


def is_backfill(revision: Revision, clock: datetime) -> bool:
    """Return whether the model's clock has long passed the end of a closed chunk."""
    chunk = revision.chunk
    return revision.closed and clock - chunk.end > BACKFILL_LENGTHS * (chunk.end - chunk.start)


def record(connection: Connection, key: VersionKey, change: VerdictEvent, now: datetime) -> None:
    """Write the event of a changed verdict, pending for each consumer.

    The version must be locked: the numbers of its events are then in the order of their commits.
    """
    number = connection.execute(insert(verdict_events).values(_row(connection, key, change, now))).inserted_primary_key
    assert number is not None  # noqa: S101  (an insert of one row)
    version = {"model_number": key.model_number, "model_version": key.version}
    rows = [{"consumer": consumer, "event_number": number[0]} | version for consumer in EventConsumer]
    connection.execute(insert(pending_events), rows)


def _row(connection: Connection, key: VersionKey, change: VerdictEvent, now: datetime) -> dict[str, object]:
    """Return the row of an event, with the provenance of its revision."""
    revision, provenance = change.revision, change.revision.provenance
    return {
        "model_number": key.model_number,
        "model_version": key.version,
        "chunk_start": naive_utc(revision.chunk.start),
        "chunk_end": naive_utc(revision.chunk.end),
        "revision": revision.number,
        "sequence": change.sequence,
        "state_before": change.state_before,
        "state": change.verdict.state,
        "provisional": change.verdict.provisional,
        "closed": revision.closed,
        "backfill": change.backfill,
        "reasons": json.dumps(change.verdict.reasons),
        "evidence": _evidence(connection, key, revision),
        "spec_revision": provenance.spec_revision,
        "reference_hash": provenance.reference_hash,
        "code_version": provenance.code_version,
        "labels_as_of": provenance.labels_as_of and naive_utc(provenance.labels_as_of),
        "derived_at": naive_utc(now),
    }


def _evidence(connection: Connection, key: VersionKey, revision: Revision) -> str | None:
    """Return the evidence of a chunk, as JSON; None where there is no detector, or the chunk is open."""
    columns = chunk_revisions.c
    stored = select(columns.evidence, columns.detector.is_not(None)).where(_is_revision(key, revision))
    row = connection.execute(stored).first()
    if row is None or not row[1]:
        return None
    return json.dumps(merged_evidence(row[0]).to_dict(), separators=(",", ":"))


def _is_revision(key: VersionKey, revision: Revision) -> ColumnElement[bool]:
    columns = chunk_revisions.c
    return and_(
        key.rows_of(chunk_revisions),
        columns.chunk_start == naive_utc(revision.chunk.start),
        columns.revision == revision.number,
    )
