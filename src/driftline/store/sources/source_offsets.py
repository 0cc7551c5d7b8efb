"""The offset of each partition of a source, stored in the transaction of its rows, so that each row counts once."""

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from driftline.errors import Conflict
from driftline.store.tables import source_offsets


class OffsetMoved(Conflict):
    """Another reader has read this partition further; read on from the stored offset."""


def read(connection: Connection, source: str, partitions: Iterable[int]) -> dict[int, int]:
    """Return by partition the offset to read next; a partition that was never read has none."""
    statement = select(source_offsets.c.part, source_offsets.c.next_offset).where(
        source_offsets.c.source == source, source_offsets.c.part.in_(tuple(partitions))
    )
    return {row.part: row.next_offset for row in connection.execute(statement)}


def require(connection: Connection, source: str, part: int, expected: int | None) -> None:
    """Raise OffsetMoved where another offset than `expected`, None for nothing, is stored of a partition now."""
    _require_same(source, part, read(connection, source, [part]).get(part), expected)


def advance(connection: Connection, source: str, part: int, expected: int | None, next_offset: int) -> None:
    """Store that a partition was read up to `next_offset`; `expected` is what was stored before, None for nothing.

    Call it first in the transaction of the rows: it locks the partition, and another reader of the same rows then
    waits, and fails.

    Raises:
        OffsetMoved: another offset than `expected` is stored; nothing was changed.
    """
    of_part = (source_offsets.c.source == source, source_offsets.c.part == part)
    stored = connection.execute(select(source_offsets.c.next_offset).where(*of_part).with_for_update()).scalar()
    _require_same(source, part, stored, expected)
    if expected is None:
        try:
            connection.execute(insert(source_offsets).values(source=source, part=part, next_offset=next_offset))
        except IntegrityError as error:
            raise OffsetMoved(
                f"Partition {part} of {source} was read by another reader; read on from there."
            ) from error
    else:
        connection.execute(update(source_offsets).where(*of_part).values(next_offset=next_offset))


def _require_same(source: str, part: int, stored: int | None, expected: int | None) -> None:
    if stored != expected:
        raise OffsetMoved(f"Partition {part} of {source} was read up to {stored}, not {expected}; read on from there.")
