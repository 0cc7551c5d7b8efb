"""Writes one archive object: reads the rows of a period in one snapshot, verifies the file, and makes it current."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, Engine, insert, update

from driftline.clock import naive_utc
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import LABEL
from driftline.engine.spec import Spec
from driftline.errors import Conflict
from driftline.objects import ObjectStore, open_store
from driftline.store.database import in_transaction, translated
from driftline.store.model_numbers import lock_model
from driftline.store.rows.archived import archive_file
from driftline.store.rows.archived.archive_file import LABEL_KNOWN_AT, ArchiveWriter, DamagedArchive
from driftline.store.rows.archived.archive_objects import ArchivedBatch, ObjectState, batches_json, objects_between
from driftline.store.rows.predictions import PredictionStore
from driftline.store.rows.reading.chunk_rows import ChunkReader
from driftline.store.rows.reading.stored_rows import Portion
from driftline.store.rows.removed_rows import BATCH, POSITION
from driftline.store.tables import archive_objects
from driftline.store.version_key import VersionKey


class ArchiveChanged(Conflict):
    """Another archive run has changed the same period; run `driftline db archive` again."""


@dataclass(frozen=True, slots=True)
class WrittenPeriod:
    """A written period: its rows and bytes, and the address of its object."""

    name: str
    key: VersionKey
    period: Chunk
    rows: int
    size: int
    address: str


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of a written file: its rows, their batches, and the objects of the period, which it replaces."""

    rows: int
    batches: dict[int, ArchivedBatch]
    replaced: frozenset[int]


@dataclass(frozen=True)
class PeriodWriter:
    """Writes the object of one version and period; locks are held in short transactions only."""

    engine: Engine
    objects: ObjectStore
    name: str
    key: VersionKey
    spec: Spec
    period: Chunk

    def write(self, now: datetime) -> WrittenPeriod:
        """Write the rows of the period as an object, verify it, and replace the earlier objects by it.

        The object is registered before it exists, so that the next run finds it if this one is killed.

        Raises:
            DamagedArchive: not all rows of the ledger can be read, or the object is not what was written.
            ArchiveChanged: another run has changed the period.
            StoreRefused, StoreUnavailable: the object cannot be written.
        """
        object_key = self._object_key()
        number = in_transaction(self.engine, lambda connection: self._begin(connection, object_key, now))
        with TemporaryDirectory(prefix="driftline-") as folder:
            path = Path(folder) / "rows.parquet"
            with translated():
                content = self._write_file(path)
            digest = open_store(folder).sha256(path.name)
            self.objects.put_file(object_key, path)
            if self.objects.sha256(object_key) != digest:
                raise DamagedArchive(f"{self.objects.at(object_key)} has other bytes than were written to it.")
            size = path.stat().st_size
        in_transaction(self.engine, lambda connection: self._finish(connection, number, content, size, digest))
        address = self.objects.at(object_key)
        return WrittenPeriod(self.name, self.key, self.period, content.rows, size, address)

    def _object_key(self) -> str:
        start, end = (f"{instant:%Y%m%dT%H%M%SZ}" for instant in (self.period.start, self.period.end))
        return f"archive/{self.name}/{self.key.version}/{start}-{end}-{uuid4().hex[:8]}.parquet"

    def _begin(self, connection: Connection, object_key: str, now: datetime) -> int:
        """Insert the row of an object that is being written; return its number."""
        row = {
            "model_number": self.key.model_number,
            "model_version": self.key.version,
            "period_start": naive_utc(self.period.start),
            "period_end": naive_utc(self.period.end),
            "state": ObjectState.WRITING,
            "address": self.objects.at(object_key),
            "row_count": 0,
            "byte_count": 0,
            "content_hash": "",
            "batches": "{}",
            "written_at": naive_utc(now),
        }
        return int(connection.execute(insert(archive_objects).values(row)).lastrowid)

    def _write_file(self, path: Path) -> _Content:
        """Write all rows of the period, as one snapshot of the database has them, to a file, and verify it."""
        schema = archive_file.schema_of(self.spec)
        with self.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
            rows = ChunkReader(connection, self.key, self.spec, self.period)
            removals = rows.removals()
            batches = {number: ArchivedBatch(removed) for number, removed in removals.items()}
            with ArchiveWriter(path, schema) as writer:
                for table in self._tables(rows, list(removals)):
                    writer.write(table)
                    _add_rows(batches, table)
            expected = self._store.count(connection, self.key.version, self.period.start, self.period.end)
            present = objects_between(connection, self.key, self.period.start, self.period.end)
        if writer.rows != expected:
            raise DamagedArchive(
                f"{self.name} version {self.key.version} has {expected:,} rows from {self.period.start.isoformat()} "
                f"according to the ledger, and {writer.rows:,} can be read; restore batch_data from a backup."
            )
        archive_file.require_same(path, schema, writer.hashes, writer.rows)
        return _Content(writer.rows, batches, frozenset(archive_object.number for archive_object in present))

    @property
    def _store(self) -> PredictionStore:
        return PredictionStore(self.key.model_number, self.spec)

    def _tables(self, rows: ChunkReader, batches: list[int]) -> Iterator[pa.Table]:
        """Yield the rows of the period with their labels, in the order of batches and positions within each table."""
        schema = archive_file.schema_of(self.spec)
        for _, portions in rows.groups(batches, archive_file.rows_per_group(len(schema))):
            for portion in portions:
                table = rows.table(portion).sort_by([(BATCH, "ascending"), (POSITION, "ascending")])
                yield _with_labels(table, rows, portion, schema)

    def _finish(self, connection: Connection, number: int, content: _Content, size: int, digest: str) -> None:
        """Make the object current instead of the earlier ones, unless another run has changed the period."""
        lock_model(connection, self.key.model_number)
        present = objects_between(connection, self.key, self.period.start, self.period.end)
        values = {
            "state": ObjectState.STORED,
            "row_count": content.rows,
            "byte_count": size,
            "content_hash": digest,
            "batches": batches_json(content.batches),
        }
        column = archive_objects.c
        is_writing = (column.number == number) & (column.state == ObjectState.WRITING)
        stored = connection.execute(update(archive_objects).where(is_writing).values(values)).rowcount
        if not stored or {archive_object.number for archive_object in present} != content.replaced:
            raise ArchiveChanged
        replaced = update(archive_objects).where(column.number.in_(content.replaced))
        connection.execute(replaced.values(state=ObjectState.REPLACED))


def _with_labels(table: pa.Table, rows: ChunkReader, portion: Portion, schema: pa.Schema) -> pa.Table:
    """Return the rows of a portion with their labels as they are known now."""
    labels = rows.with_labels(table.select([BATCH, POSITION]).to_pandas(), portion)
    times = pd.to_datetime(labels[LABEL_KNOWN_AT], utc=True)
    for name, values in ((LABEL, labels[LABEL]), (LABEL_KNOWN_AT, times)):
        field = schema.field(name)
        table = table.append_column(field, pa.Array.from_pandas(values, type=field.type))
    return table


def _add_rows(batches: dict[int, ArchivedBatch], table: pa.Table) -> None:
    """Count the rows of a table, which is sorted by batch and position, in the descriptions of their batches."""
    numbers, positions = table.column(BATCH).to_numpy(), table.column(POSITION).to_numpy()
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    for begin, end in zip(starts, [*starts[1:], len(numbers)], strict=True):
        batch = batches[int(numbers[begin])]
        first, last = int(positions[begin]), int(positions[end - 1])
        batches[int(numbers[begin])] = ArchivedBatch(
            batch.removed,
            batch.rows + int(end - begin),
            min(batch.first, first) if batch.rows else first,
            max(batch.last, last),
        )
