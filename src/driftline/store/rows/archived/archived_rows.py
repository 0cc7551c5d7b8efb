"""Archived rows, read from their objects as if they were still stored in MySQL.

Objects are looked up after the blobs of batches: a row that is archived in between is found in both, never in neither.
Where an object contains a batch, the rows of the object are used, and the batch's rows in blobs that lie in the
object's period are left out.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from driftline.engine.results import EVENT_TIME
from driftline.objects import ObjectMissing, ObjectStore, open_store
from driftline.store.rows.archived import archive_file
from driftline.store.rows.archived.archive_file import BatchSpan
from driftline.store.rows.archived.archive_objects import ArchiveObject, ObjectState, RowsRemoved, objects_of
from driftline.store.rows.encoding import columnar
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION
from driftline.store.rows.removed_rows import BATCH
from driftline.store.tables import archive_objects

Find = Callable[[], list[ArchiveObject]]
T = TypeVar("T")


@dataclass
class ArchivedRows:
    """The archived rows of some objects; `find` looks the objects up, again if an object has been replaced meanwhile.

    `listed` are the objects of the first look-up: rows that these objects contain are not read from blobs.
    """

    find: Find

    def __post_init__(self) -> None:
        """Look the objects up."""
        self.objects = self.listed = self.find()

    def has(self, batch: int) -> bool:
        """Return whether an object has rows of a batch, or stands for removed rows of the batch."""
        return any(batch in archive_object.batches for archive_object in self.objects)

    def spans(self, batches: Iterable[int], rows: int) -> Iterator[BatchSpan]:
        """Yield the positions of archived batches in spans of `rows` at most.

        Raises:
            RowsRemoved: rows of a batch were archived and then removed.
        """
        for batch in batches:
            parts = [
                archive_object.batches[batch] for archive_object in self.objects if batch in archive_object.batches
            ]
            parts = [part for part in parts if part.rows]
            if not parts:
                continue
            self._require_stored(batch)
            first, after = min(part.first for part in parts), max(part.last for part in parts) + 1
            for start in range(first, after, rows):
                yield BatchSpan(batch, start, min(start + rows, after))

    def read(self, spans: Sequence[BatchSpan], columns: Sequence[str]) -> pa.Table:
        """Return the archived rows in some spans: their places, and those of `columns` that their objects have."""
        numbers = {span.batch for span in spans}

        def read_object(archive_object: ArchiveObject, file: BinaryIO) -> pa.Table:
            inside = [span for span in spans if span.batch in archive_object.batches]
            return archive_file.read_spans(file, inside, columns)

        tables = self._read_each(lambda archive_object: bool(numbers & archive_object.batches.keys()), read_object)
        return pa.concat_tables([archive_file.PLACE.empty_table(), *tables], promote_options="default")

    def without_archived(self, table: pa.Table) -> pa.Table:
        """Return the rows of blobs that no listed object has: a blob stays until all rows of the blob are archived."""
        for archive_object in self.listed:
            numbers = [number for number in archive_object.batches if archive_object.state is ObjectState.STORED]
            times = table.column(EVENT_TIME)
            archived = pc.and_(
                pc.and_(
                    pc.is_in(table.column(BATCH), pa.array(numbers, pa.int64())),
                    pc.equal(table.column(MODEL_VERSION), archive_object.key.version),
                ),
                pc.and_(
                    pc.greater_equal(times, pa.scalar(archive_object.start, columnar.INSTANT_TYPE)),
                    pc.less(times, pa.scalar(archive_object.end, columnar.INSTANT_TYPE)),
                ),
            )
            table = table.filter(pc.invert(archived))
        return table

    def places_with(self, column: str, value: str | float) -> Iterator[tuple[int, int]]:
        """Yield batch number and position of the archived rows with a value in a column."""

        def read_object(_: ArchiveObject, file: BinaryIO) -> list[pa.Table]:
            return [
                archive_file.positions_with(table, column, value) for table in archive_file.read_column(file, column)
            ]

        for tables in self._read_each(lambda _: True, read_object):
            for places in tables:
                yield from zip(*(np.asarray(values).tolist() for values in places.columns), strict=True)

    def _require_stored(self, batch: int) -> None:
        removed = [
            archive_object
            for archive_object in self.objects
            if archive_object.state.is_gone and batch in archive_object.batches
        ]
        if any(archive_object.batches[batch].rows for archive_object in removed):
            raise RowsRemoved

    def _read_each(
        self, is_wanted: Callable[[ArchiveObject], bool], read: Callable[[ArchiveObject, BinaryIO], T]
    ) -> list[T]:
        """Read each stored object that is wanted; if an object is missing, look up its replacements."""
        while True:
            objects = [
                archive_object
                for archive_object in self.objects
                if archive_object.state is ObjectState.STORED and is_wanted(archive_object)
            ]
            try:
                return [_opened(archive_object, read) for archive_object in objects]
            except ObjectMissing:
                previous, self.objects = self.objects, self.find()
                if {archive_object.number for archive_object in previous} == {
                    archive_object.number for archive_object in self.objects
                }:
                    raise


def of_model(connection: Connection, model_number: int) -> ArchivedRows:
    """Return all archived rows of a model."""
    return ArchivedRows(lambda: objects_of(connection, archive_objects.c.model_number == model_number))


def _opened(archive_object: ArchiveObject, read: Callable[[ArchiveObject, BinaryIO], T]) -> T:
    parent, _, name = archive_object.address.rpartition("/")
    with _store_at(parent).open(name) as file:
        return read(archive_object, file)


@lru_cache(maxsize=64)
def _store_at(address: str) -> ObjectStore:
    """Open each store once: a cloud's needs a connection."""
    return open_store(address)
