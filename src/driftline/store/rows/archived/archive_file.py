"""An archive object's Parquet file: its schema, written by row groups, verified, and read by batches.

The file has the rows of one version in one period, in the order of `batch_number` and `batch_position`: the columns of
a prediction as its spec has them, and its label as known when the file was written. Compressed by zstd.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from driftline.engine.catalogue import Problem
from driftline.engine.results import LABEL
from driftline.engine.spec import Spec
from driftline.store.rows.encoding import columnar
from driftline.store.rows.encoding.prediction_schema import PredictionSchema
from driftline.store.rows.removed_rows import BATCH, POSITION, place_keys

VALUES_PER_GROUP = 4_000_000
"""About how many values a row group has: 32 MB of numbers."""
LABEL_KNOWN_AT = "label_known_at"
PLACE = pa.schema([pa.field(BATCH, pa.int64(), nullable=False), pa.field(POSITION, pa.int64(), nullable=False)])
"""Where a row was stored when it arrived."""


class DamagedArchive(columnar.DamagedBatch):
    """An archive object has other rows than were written to it; restore it from a backup of the objects."""


def schema_of(spec: Spec) -> pa.Schema:
    """Return the schema of a file: place, the columns of a prediction, and its label."""
    label = columnar.TEXT_TYPE if spec.problem is Problem.MULTICLASS else columnar.NUMBER_TYPE
    label_fields = [pa.field(LABEL, label), pa.field(LABEL_KNOWN_AT, columnar.INSTANT_TYPE)]
    return pa.schema([*PLACE, *PredictionSchema(spec).all, *label_fields])


def rows_per_group(columns: int) -> int:
    """Return about how many rows a row group has."""
    return max(1, VALUES_PER_GROUP // columns)


@dataclass
class ArchiveWriter:
    """Writes tables of one schema to a file, small ones together in one row group; `hashes` has one of each group."""

    path: Path
    schema: pa.Schema
    hashes: list[str] = field(default_factory=list)
    rows: int = 0
    _waiting: list[pa.Table] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._file = pq.ParquetWriter(self.path, self.schema, compression="zstd", write_statistics=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            self._flush()
        self._file.close()

    def write(self, table: pa.Table) -> None:
        """Add rows, which follow those before them in the order of their places."""
        self._waiting.append(table.select(self.schema.names).cast(self.schema))
        self.rows += table.num_rows
        if sum(part.num_rows for part in self._waiting) >= rows_per_group(len(self.schema)):
            self._flush()

    def _flush(self) -> None:
        """Write what waits as one row group."""
        table = pa.concat_tables(self._waiting or [self.schema.empty_table()]).combine_chunks()
        self._waiting.clear()
        if table.num_rows:
            self._file.write_table(table, row_group_size=table.num_rows)
            self.hashes.append(columnar.content_hash(table))


def require_same(path: Path, schema: pa.Schema, hashes: Sequence[str], rows: int) -> None:
    """Read a file again and compare every row group with the hash of what was written; raise DamagedArchive."""
    with pq.ParquetFile(path) as file:
        same = file.metadata.num_rows == rows and file.metadata.num_row_groups == len(hashes)
        groups = (file.read_row_group(group).select(schema.names).cast(schema) for group in range(len(hashes)))
        if not same or any(
            columnar.content_hash(group) != expected for group, expected in zip(groups, hashes, strict=True)
        ):
            raise DamagedArchive


@dataclass(frozen=True, slots=True)
class BatchSpan:
    """Consecutive positions of a batch: the first, and the first after them."""

    batch: int
    first: int
    after: int


def read_spans(file: BinaryIO, spans: Sequence[BatchSpan], columns: Sequence[str] | None) -> pa.Table:
    """Return the rows of some spans with their place and columns; only row groups that may have them are read."""
    numbers = np.array(sorted({span.batch for span in spans}), dtype=np.int64)
    with pq.ParquetFile(file) as parquet:
        names = parquet.schema_arrow.names if columns is None else [*PLACE.names, *columns]
        names = [name for name in parquet.schema_arrow.names if name in names]
        groups = [group for group in range(parquet.metadata.num_row_groups) if _may_have(parquet, group, numbers)]
        table = parquet.read_row_groups(groups, columns=names).select(names)
    return table.filter(_within(table, spans))


def read_column(file: BinaryIO, column: str) -> Iterator[pa.Table]:
    """Yield the place and one column of all rows by row group; nothing where there is no such column."""
    with pq.ParquetFile(file) as parquet:
        if column in parquet.schema_arrow.names:
            for group in range(parquet.metadata.num_row_groups):
                yield parquet.read_row_group(group, columns=[*PLACE.names, column]).select([*PLACE.names, column])


def _may_have(parquet: pq.ParquetFile, group: int, numbers: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> bool:
    """Return whether a row group may have rows of some batches, by its least and greatest batch number."""
    column = parquet.schema_arrow.names.index(BATCH)
    statistics = parquet.metadata.row_group(group).column(column).statistics
    after = int(np.searchsorted(numbers, statistics.min))
    return after < len(numbers) and int(numbers[after]) <= statistics.max


def _within(table: pa.Table, spans: Sequence[BatchSpan]) -> pa.Array:
    """Return which rows lie in the spans."""
    ordered = np.array(sorted((span.batch, span.first, span.after) for span in spans), dtype=np.int64).reshape(-1, 3)
    firsts = place_keys(ordered[:, 0], ordered[:, 1])
    ends = firsts + ordered[:, 2] - ordered[:, 1]
    places = place_keys(*(table.column(name).to_numpy() for name in PLACE.names))
    group_index = np.searchsorted(firsts, places, side="right") - 1
    return pa.array((group_index >= 0) & (places < ends[group_index]))


def positions_with(table: pa.Table, column: str, value: str | float) -> pa.Table:
    """Return the places of the rows that have a value in a column."""
    values = table.column(column)
    if pa.types.is_string(values.type) != isinstance(value, str):
        return table.select(PLACE.names).slice(0, 0)
    return table.filter(pc.fill_null(pc.equal(values, value), False)).select(PLACE.names)
