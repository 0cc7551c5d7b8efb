"""Where the rows of a chunk come from: the batches that it was computed from, and by whom each was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, and_, func, select

from driftline.clock import aware_utc, naive_utc
from driftline.engine.chunking.chunks import Chunk
from driftline.store.rows.reading.stored_rows import slices
from driftline.store.tables import ingest_log, ledger, ledger_slots
from driftline.store.version_key import VersionKey


@dataclass(frozen=True, slots=True)
class BatchOrigin:
    """A batch that a chunk was computed from.

    Attributes:
        batch_id: how its sender named it: an idempotency key, a topic with offsets, a file, a run of a job.
        kind: predictions, labels, corrections or deletions.
        content_hash: identifies what the batch contained (SHA-256).
        rows: how many rows the whole batch wrote.
        rows_in_chunk: how many predictions it added to the chunk, less those that it removed; 0 for labels.
        caller, format: who sent it, and as which media type; None where the ingest log does not have it, or no longer.
    """

    number: int
    batch_id: str
    kind: str
    content_hash: str
    rows: int
    rows_in_chunk: int
    written_at: datetime
    caller: str | None
    format: str | None


def origins_of(connection: Connection, key: VersionKey, chunk: Chunk, numbers: Sequence[int]) -> list[BatchOrigin]:
    """Return the origins of some batches by their numbers, the oldest first."""
    same_batch = and_(ingest_log.c.batch_id == ledger.c.batch_id, ingest_log.c.received_at == ledger.c.written_at)
    logged = ledger.outerjoin(ingest_log, same_batch)
    origins: list[BatchOrigin] = []
    for part in slices(sorted(numbers)):
        rows_in_chunk = _rows_in_chunk(connection, key, chunk, part)
        batches = select(ledger, ingest_log.c.caller, ingest_log.c.format).select_from(logged)
        in_part = batches.where(ledger.c.number.in_(part))
        origins += [_origin(row, rows_in_chunk) for row in connection.execute(in_part).mappings()]
    return sorted(origins, key=lambda origin: (origin.written_at, origin.number))


def _rows_in_chunk(connection: Connection, key: VersionKey, chunk: Chunk, numbers: Sequence[int]) -> dict[int, int]:
    """Return by batch how many predictions it added to a chunk, less those that it removed."""
    slots = ledger_slots.c
    in_chunk = and_(
        key.rows_of(ledger_slots),
        slots.slot >= naive_utc(chunk.start),
        slots.slot < naive_utc(chunk.end),
        slots.batch_number.in_(numbers),
    )
    counts = select(slots.batch_number, func.sum(slots.row_count)).where(in_chunk).group_by(slots.batch_number)
    return {int(number): int(rows) for number, rows in connection.execute(counts)}


def _origin(row: RowMapping, rows_in_chunk: dict[int, int]) -> BatchOrigin:
    """Return the origin of the batch that a row describes."""
    return BatchOrigin(
        number=row["number"],
        batch_id=row["batch_id"],
        kind=row["kind"],
        content_hash=row["content_hash"],
        rows=row["rows_written"],
        rows_in_chunk=rows_in_chunk.get(row["number"], 0),
        written_at=aware_utc(row["written_at"]),
        caller=row["caller"],
        format=row["format"],
    )
