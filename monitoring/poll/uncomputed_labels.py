"""Which batches of labels the stored results of a chunk do not contain yet; its next computation settles them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from driftline.clock import aware_utc, naive_utc
from driftline.engine.chunking.chunks import Chunk
from driftline.store.tables import pending_labels
from driftline.store.version_key import VersionKey


@dataclass(frozen=True, slots=True, order=True)
class UncomputedLabels:
    """A batch with labels of the chunk that started at `start` by the calendar at that time, and not yet computed."""

    start: datetime
    batch_number: int


def record(connection: Connection, key: VersionKey, starts: Iterable[datetime], batch_number: int) -> None:
    """Record that a batch has labels of the chunks that start at `starts`; a second time changes nothing."""
    rows = [
        {
            "model_number": key.model_number,
            "model_version": key.version,
            "chunk_start": naive_utc(start),
            "batch_number": batch_number,
        }
        for start in sorted(starts)
    ]
    if rows:
        connection.execute(insert(pending_labels).prefix_with("IGNORE"), rows)


def pending_of(connection: Connection, key: VersionKey, chunk: Chunk) -> list[UncomputedLabels]:
    """Return the uncomputed batches of labels of a chunk, in the order of their key."""
    columns = pending_labels.c
    of_chunk = columns.chunk_start >= naive_utc(chunk.start), columns.chunk_start < naive_utc(chunk.end)
    statement = select(columns.chunk_start, columns.batch_number).where(key.rows_of(pending_labels), *of_chunk)
    return sorted(UncomputedLabels(aware_utc(start), number) for start, number in connection.execute(statement))


def settle(connection: Connection, key: VersionKey, pending: Sequence[UncomputedLabels]) -> None:
    """Settle uncomputed labels in the transaction that stores the chunk's results.

    Each row is deleted by its whole key: a range would also lock, or wait for, rows that another transaction records.
    """
    columns = pending_labels.c
    row = columns.chunk_start == bindparam("start"), columns.batch_number == bindparam("number")
    keys = [{"start": naive_utc(labels.start), "number": labels.batch_number} for labels in sorted(pending)]
    if keys:
        connection.execute(delete(pending_labels).where(key.rows_of(pending_labels), *row), keys)
