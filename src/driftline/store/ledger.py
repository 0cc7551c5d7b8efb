"""The ledger: one row per batch, written in the transaction of the batch's rows, and its pending consumers."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import pandas as pd
from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from driftline import spans
from driftline.clock import naive_utc
from driftline.errors import BatchConflict, InvalidInput
from driftline.store.tables import ledger, ledger_slots, pending_batches
from driftline.store.version_key import VersionKey

MAX_ROWS = 100_000
SLOT_MINUTES = 15
"""Event times are recorded by quarter of an hour: in every time zone, calendar periods begin on one."""
SLOT = f"{SLOT_MINUTES}min"
"""The length of a slot as pandas writes it."""


class BatchKind(StrEnum):
    """What a batch of a monitored model carries; other programs may use kinds of their own."""

    PREDICTIONS = "predictions"
    LABELS = "labels"
    CORRECTION = "correction"
    DELETION = "deletion"


KINDS_WITH_ROWS = (BatchKind.PREDICTIONS, BatchKind.CORRECTION)
"""The kinds of batches that store rows of predictions."""


class Consumer(StrEnum):
    """Who processes batches after they are written; other programs may use consumers of their own."""

    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class Batch:
    """The ledger's description of a batch.

    `id` can be constructed again by its origin, `content_hash` is the SHA-256 of its content, `rows` their number (at
    most 100,000); its rows lie between the aware instants `first_event` and `last_event`, both included.
    """

    id: str
    kind: str
    content_hash: str
    rows: int
    written_at: datetime
    model_number: int | None = None
    first_event: datetime | None = None
    last_event: datetime | None = None

    def __post_init__(self) -> None:
        """Reject an id or a number of rows that the ledger cannot store."""
        if not (self.id.isascii() and self.id.isprintable() and 0 < len(self.id) <= 128 and self.id == self.id.strip()):
            raise InvalidInput(
                f"A batch id has 1 to 128 printable ASCII characters and no outer blanks, unlike {self.id!r}."
            )
        if not 0 <= self.rows <= MAX_ROWS:
            raise InvalidInput(f"A batch has at most {MAX_ROWS:,} rows, not {self.rows:,}; split it.")


def content_hash(*parts: bytes) -> str:
    """Hash a batch's content (SHA-256 in hex) from its rows as `driftline.store.bulk.encode` returns them."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def open_batch(connection: Connection, batch: Batch, consumers: Collection[str] = ()) -> int | None:
    """Insert a batch, pending for its consumers, and return its number, or None where the ledger has the same batch.

    Call it before writing the rows, in their transaction. A second writer of the same id waits here for the first.

    Raises:
        BatchConflict: the ledger has the id with other content.
    """
    inserted = connection.execute(insert(ledger).prefix_with("IGNORE").values(_ledger_row(batch)))
    if not inserted.rowcount:
        _require_same(connection, batch)
        return None
    number = int(inserted.lastrowid)
    add_pending(connection, number, consumers)
    return number


def add_pending(connection: Connection, batch_number: int, consumers: Collection[str]) -> None:
    """Make a batch pending for further consumers, in the transaction that opened it."""
    if consumers:
        rows = [{"consumer": consumer, "batch_number": batch_number} for consumer in consumers]
        connection.execute(insert(pending_batches), rows)


def _ledger_row(batch: Batch) -> dict[str, object]:
    """Return the values of a batch's row."""
    return {
        "batch_id": batch.id,
        "kind": batch.kind,
        "content_hash": batch.content_hash,
        "rows_written": batch.rows,
        "model_number": batch.model_number,
        "first_event": batch.first_event and naive_utc(batch.first_event),
        "last_event": batch.last_event and naive_utc(batch.last_event),
        "written_at": naive_utc(batch.written_at),
        "traceparent": spans.traceparent(),
    }


def _require_same(connection: Connection, batch: Batch) -> None:
    stored = connection.execute(select(ledger.c.content_hash).where(ledger.c.batch_id == batch.id)).scalar_one()
    if stored != batch.content_hash:
        raise BatchConflict(
            f"Batch {batch.id!r} is in the ledger with other content; send changed rows as a correction under a new id."
        )


def clear_events(connection: Connection, number: int) -> None:
    """Record that a batch added no rows, and so no first and last event: they would move the clock of the data."""
    connection.execute(update(ledger).where(ledger.c.number == number).values(first_event=None, last_event=None))


def number_of(connection: Connection, batch_id: str) -> int:
    """Return the number of a batch that the ledger has."""
    return int(connection.execute(select(ledger.c.number).where(ledger.c.batch_id == batch_id)).scalar_one())


def touch_added(connection: Connection, batch_number: int, key: VersionKey, event_times: Iterable[datetime]) -> None:
    """Record the quarters of an hour that a batch of predictions touches, and how many rows it added to each.

    `event_times` are those of the rows: aware instants or a series of naive UTC ones. Done twice, it changes nothing.
    """
    times = pd.DatetimeIndex(pd.to_datetime(pd.Series(event_times), utc=True)).tz_localize(None)
    starts, counts = np.unique(times.floor(SLOT), return_counts=True)
    slots = [
        {
            "model_number": key.model_number,
            "model_version": key.version,
            "slot": pd.Timestamp(start).to_pydatetime(),
            "batch_number": batch_number,
            "row_count": int(rows),
        }
        for start, rows in zip(starts, counts, strict=True)
    ]
    if slots:
        connection.execute(insert(ledger_slots).prefix_with("IGNORE"), slots)


def touch_changed(
    connection: Connection, batch_number: int, model_number: int, rows: Iterable[tuple[pd.DataFrame, int]]
) -> None:
    """Record the quarters of an hour of rows that a correction or deletion added (1) or removed (-1), and how many.

    Each frame has the model_version and the event_time (aware) of its rows.
    """
    parts = [
        pd.DataFrame({"version": frame["model_version"], "slot": frame["event_time"].dt.floor(SLOT), "count": sign})
        for frame, sign in rows
        if len(frame)
    ]
    if not parts:
        return
    counts = pd.concat(parts).groupby(["version", "slot"], as_index=False)["count"].sum()
    slots = [
        {
            "model_number": model_number,
            "model_version": int(version),
            "slot": naive_utc(slot.to_pydatetime()),
            "batch_number": batch_number,
            "row_count": int(count),
        }
        for version, slot, count in counts.itertuples(index=False)
    ]
    connection.execute(insert(ledger_slots), slots)


def claim(connection: Connection, consumer: str, without_models: Collection[int] = ()) -> RowMapping | None:
    """Lock one batch that is pending for a consumer, skip those that others have locked, and return its ledger row.

    It is None where no batch is pending; those of some models are left pending. Read the batch's rows only after this:
    they may then be more than were claimed, never less.
    """
    return next(iter(claim_all(connection, consumer, 1, without_models)), None)


def claim_all(
    connection: Connection, consumer: str, most: int, without_models: Collection[int] = ()
) -> Sequence[RowMapping]:
    """Lock up to `most` batches as `claim` does, and return their ledger rows in the order of their numbers."""
    pending = (
        select(pending_batches.c.batch_number)
        .where(pending_batches.c.consumer == consumer)
        .order_by(pending_batches.c.batch_number)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    if without_models:
        of_models = select(ledger.c.number).where(ledger.c.model_number.in_(without_models))
        pending = pending.where(pending_batches.c.batch_number.not_in(of_models))
    numbers = connection.execute(pending).scalars().all()
    if not numbers:
        return []
    claimed = select(ledger).where(ledger.c.number.in_(numbers)).order_by(ledger.c.number)
    return connection.execute(claimed).mappings().all()


def pending_ids(connection: Connection, consumer: str) -> list[str]:
    """Return the ids of the batches that are pending for a consumer, claimed or not."""
    pending = pending_batches.c.batch_number == ledger.c.number
    ids = select(ledger.c.batch_id).join(pending_batches, pending).where(pending_batches.c.consumer == consumer)
    return list(connection.execute(ids).scalars())


def settle(connection: Connection, consumer: str, *batch_numbers: int) -> None:
    """Delete the pending rows of claimed batches, in the transaction that stores the consumer's result.

    Each is deleted by its key: MySQL may answer a list of numbers by a scan, which waits for rows that others claimed.
    """
    row = pending_batches.c.consumer == consumer, pending_batches.c.batch_number == bindparam("settled")
    connection.execute(delete(pending_batches).where(*row), [{"settled": number} for number in batch_numbers])
