"""Reads the verdict events of a model version, and its pending ones."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, select

from driftline.clock import aware_utc, naive_utc
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.results import State
from driftline.store.tables import pending_events, verdict_events
from driftline.store.version_key import VersionKey
from monitoring.incidents.standing import StoredVerdictEvent
from monitoring.poll.results.verdict_events import EventConsumer

_COLUMNS, _PENDING = verdict_events.c, pending_events.c


def versions_with_events(connection: Connection, consumer: EventConsumer) -> list[VersionKey]:
    """Return the versions that have pending events."""
    version = select(_PENDING.model_number, _PENDING.model_version).where(_PENDING.consumer == consumer).distinct()
    return [VersionKey(*row) for row in connection.execute(version.order_by(*version.selected_columns))]


def pending(connection: Connection, consumer: EventConsumer, key: VersionKey) -> dict[int, datetime]:
    """Return by number the start of the chunk of each pending event of a version."""
    joined = pending_events.join(verdict_events, _PENDING.event_number == _COLUMNS.number)
    rows = select(_COLUMNS.number, _COLUMNS.chunk_start).select_from(joined).where(_pending_of(consumer, key))
    return {number: aware_utc(start) for number, start in connection.execute(rows)}


def settle(connection: Connection, consumer: EventConsumer, key: VersionKey, last: int) -> None:
    """Delete the pending rows of a version's events up to `last`, in the transaction that stores what follows."""
    connection.execute(delete(pending_events).where(_pending_of(consumer, key), _PENDING.event_number <= last))


def events_since(connection: Connection, key: VersionKey, first: datetime) -> list[StoredVerdictEvent]:
    """Return the events of chunks that start at `first` or later, oldest first."""
    of_version = key.rows_of(verdict_events)
    rows = select(verdict_events).where(of_version, _COLUMNS.chunk_start >= naive_utc(first)).order_by(_COLUMNS.number)
    return [_event(row) for row in connection.execute(rows).mappings()]


def _pending_of(consumer: EventConsumer, key: VersionKey) -> ColumnElement[bool]:
    return and_(_PENDING.consumer == consumer, key.rows_of(pending_events))


def _event(row: Mapping[Any, Any]) -> StoredVerdictEvent:
    """Return the verdict event that a row describes."""
    return StoredVerdictEvent(
        number=row["number"],
        chunk=Chunk(aware_utc(row["chunk_start"]), aware_utc(row["chunk_end"])),
        state=State(row["state"]),
        closed=bool(row["closed"]),
        backfill=bool(row["backfill"]),
        reasons=tuple(json.loads(row["reasons"])),
        evidence=ChunkEvidence.from_dict(json.loads(row["evidence"])) if row["evidence"] else None,
        labels_as_of=row["labels_as_of"] and aware_utc(row["labels_as_of"]),
        derived_at=aware_utc(row["derived_at"]),
    )
