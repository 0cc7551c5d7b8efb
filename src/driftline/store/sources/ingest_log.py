"""The ingest log: the ingested and the refused batches of each model, kept for a bounded time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from driftline.clock import aware_utc, naive_utc
from driftline.store.tables import ingest_log

RETENTION = timedelta(days=30)
"""Older entries are removed as new ones are written."""
REMOVED_AT_ONCE = 20
"""How many old entries one new entry removes at most: more than one, so that they end, and few, so that it is fast."""
LONGEST_REASON = 2_000


class IngestState(StrEnum):
    """Whether a batch was stored; one that was stored before counts as stored."""

    STORED = "stored"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class IngestEntry:
    """What came for a model: when, as what, by whom, how much; and how many rows changed anything, or why none did."""

    model_number: int
    received_at: datetime
    kind: str
    state: IngestState
    format: str
    body_bytes: int
    batch_id: str | None = None
    caller: str | None = None
    rows_sent: int | None = None
    rows_new: int | None = None
    rows_same: int | None = None
    rows_changed: int | None = None
    reason: str | None = None


def record(connection: Connection, entry: IngestEntry) -> None:
    """Write an entry, and remove a few that are older than `RETENTION`."""
    row = {name: getattr(entry, name) for name in IngestEntry.__dataclass_fields__}
    row["received_at"] = naive_utc(entry.received_at)
    row["reason"] = entry.reason and entry.reason[:LONGEST_REASON]
    connection.execute(insert(ingest_log).values(row))
    remove_old(connection, entry.received_at)


def remove_old(connection: Connection, now: datetime) -> int:
    """Remove some entries that are older than `RETENTION`, skipping those that others remove; return how many."""
    old = (
        select(ingest_log.c.number)
        .where(ingest_log.c.received_at < naive_utc(now - RETENTION))
        .order_by(ingest_log.c.received_at)
        .limit(REMOVED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    numbers = connection.execute(old).scalars().all()
    if numbers:
        connection.execute(delete(ingest_log).where(ingest_log.c.number.in_(numbers)))
    return len(numbers)


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which entries: those with every given value, received from `since` to before `until`, numbered below `before`."""

    state: IngestState | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on the table."""
        columns, conditions = ingest_log.c, list[ColumnElement[bool]]()
        if self.state is not None:
            conditions.append(columns.state == self.state)
        if self.kind is not None:
            conditions.append(columns.kind == self.kind)
        if self.since is not None:
            conditions.append(columns.received_at >= naive_utc(self.since))
        if self.until is not None:
            conditions.append(columns.received_at < naive_utc(self.until))
        if self.before is not None:
            conditions.append(columns.number < self.before)
        return conditions


EVERY_ENTRY = LogFilter()


def newest(
    connection: Connection, model_number: int, most: int, entry_filter: LogFilter = EVERY_ENTRY
) -> list[tuple[int, IngestEntry]]:
    """Return the newest entries of a model with their numbers, newest first, at most `most` of them."""
    statement = select(ingest_log).where(ingest_log.c.model_number == model_number, *entry_filter.conditions())
    rows = connection.execute(statement.order_by(ingest_log.c.number.desc()).limit(most)).mappings()
    return [(int(row["number"]), _entry(row)) for row in rows]


def _entry(row: Mapping[Any, Any]) -> IngestEntry:
    values = {name: row[name] for name in IngestEntry.__dataclass_fields__}
    values["received_at"] = aware_utc(values["received_at"])
    return IngestEntry(**{**values, "state": IngestState(values["state"])})
