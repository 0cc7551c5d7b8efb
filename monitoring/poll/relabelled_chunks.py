"""Batches of labels that have touched chunks since these were computed: pending until the chunk's next results."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from driftline.clock import naive_utc
from driftline.engine.chunks import Chunk
from driftline.store.tables import pending_labels
from driftline.store.version_key import VersionKey


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


def batches_of(connection: Connection, key: VersionKey, chunk: Chunk) -> list[int]:
    """Return the batches of labels that have touched a chunk, by the calendar of whatever spec, and are pending."""
    return sorted(set(connection.execute(select(pending_labels.c.batch_number).where(_of_chunk(key, chunk))).scalars()))


def settle(connection: Connection, key: VersionKey, chunk: Chunk, batch_numbers: Iterable[int]) -> None:
    """End what is pending, in the transaction that stores the chunk's results."""
    for number in batch_numbers:
        connection.execute(delete(pending_labels).where(_of_chunk(key, chunk), pending_labels.c.batch_number == number))


def _of_chunk(key: VersionKey, chunk: Chunk) -> ColumnElement[bool]:
    return and_(
        key.rows_of(pending_labels),
        pending_labels.c.chunk_start >= naive_utc(chunk.start),
        pending_labels.c.chunk_start < naive_utc(chunk.end),
    )
