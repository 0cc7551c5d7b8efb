"""Which closed chunks were sent to the time series database, and in which state: those that differ are to be sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.dialects.mysql import insert

from driftline.clock import aware_utc
from driftline.store.tables import chunk_revisions, sent_chunks, verdict_events, verdicts
from driftline.store.version_key import VersionKey
from monitoring.series.points import SeriesEvent

_START = ("model_number", "model_version", "chunk_start")


@dataclass(frozen=True, slots=True)
class ChunkState:
    """The current revision of a closed chunk, and when its verdict was derived; instants are as MySQL has them."""

    start: datetime
    revision: int
    derived_at: datetime | None


def changed(connection: Connection, key: VersionKey, most: int) -> list[ChunkState]:
    """Return the oldest closed chunks of a version that were not sent in their present state, at most `most`."""
    verdict = and_(*(verdicts.c[name] == chunk_revisions.c[name] for name in _START), verdicts.c.current)
    sent = and_(*(sent_chunks.c[name] == chunk_revisions.c[name] for name in _START))
    differs = or_(
        sent_chunks.c.revision.is_distinct_from(chunk_revisions.c.revision),
        sent_chunks.c.derived_at.is_distinct_from(verdicts.c.derived_at),
    )
    chunks = chunk_revisions.outerjoin(verdicts, verdict).outerjoin(sent_chunks, sent)
    columns = (chunk_revisions.c.chunk_start, chunk_revisions.c.revision, verdicts.c.derived_at)
    current = (key.rows_of(chunk_revisions), chunk_revisions.c.current, chunk_revisions.c.closed)
    rows = select(*columns).select_from(chunks).where(*current, differs)
    return [ChunkState(*row) for row in connection.execute(rows.order_by(chunk_revisions.c.chunk_start).limit(most))]


def mark_sent(connection: Connection, key: VersionKey, states: Sequence[ChunkState]) -> None:
    """Remember that chunks were sent in a state."""
    rows = [
        {
            "model_number": key.model_number,
            "model_version": key.version,
            "chunk_start": state.start,
            "revision": state.revision,
            "derived_at": state.derived_at,
        }
        for state in states
    ]
    statement = insert(sent_chunks)
    new = {name: statement.inserted[name] for name in ("revision", "derived_at")}
    connection.execute(statement.on_duplicate_key_update(new), rows)


def events_of(connection: Connection, key: VersionKey, start: datetime) -> tuple[SeriesEvent, ...]:
    """Return the verdict events of a chunk since it closed, in their order; `start` is as MySQL has it."""
    columns = verdict_events.c
    of_chunk = select(verdict_events).where(key.rows_of(verdict_events), columns.chunk_start == start, columns.closed)
    return tuple(
        SeriesEvent(
            revision=row["revision"],
            sequence=row["sequence"],
            state_before=row["state_before"],
            state=row["state"],
            provisional=bool(row["provisional"]),
            backfill=bool(row["backfill"]),
            derived_at=aware_utc(row["derived_at"]),
        )
        for row in connection.execute(of_chunk.order_by(columns.number)).mappings()
    )
