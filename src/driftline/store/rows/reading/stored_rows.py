"""The stored rows of batches: their places, and their content, of which only the requested columns are decoded."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, select, tuple_

from driftline.clock import naive_utc
from driftline.engine.frames.columns import IntArray
from driftline.store.rows.archived.archive_file import BatchSpan
from driftline.store.rows.archived.archive_objects import RowsRemoved
from driftline.store.rows.archived.archived_rows import ArchivedRows, Find
from driftline.store.rows.encoding import columnar
from driftline.store.rows.encoding.prediction_batch import FEATURES, OUTPUTS
from driftline.store.rows.encoding.prediction_schema import PredictionSchema
from driftline.store.rows.removed_rows import BATCH, BATCHES_AT_ONCE, POSITION, place_keys
from driftline.store.tables import batch_data

VALUES_AT_ONCE = 4_000_000
"""About how many values are decoded at a time: 32 MB of numbers."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Consecutive rows of a batch that are stored together, in MySQL or in the archive."""

    batch: int
    first: int
    rows: int
    archived: bool = False

    @property
    def span(self) -> BatchSpan:
        """The positions of the rows."""
        return BatchSpan(self.batch, self.first, self.first + self.rows)


Portion = Sequence[Blob]


class StoredRows:
    """Reads rows of batches as they are stored, including removed ones."""

    def __init__(self, connection: Connection, schema: PredictionSchema) -> None:
        """Store what is read; nothing is read yet."""
        self.connection, self.schema = connection, schema

    def blobs(self, batches: Iterable[int], span: tuple[datetime, datetime] | None = None) -> dict[int, list[Blob]]:
        """Return the blobs of some batches by batch and in their order, without their content.

        With a half-open `span` of aware instants, those are left out of which no row has an event time in it.
        """
        columns = (batch_data.c[name] for name in (BATCH, "first_position", "row_count"))
        conditions: list[ColumnElement[bool]] = [batch_data.c.content == OUTPUTS]
        if span is not None:
            conditions += [batch_data.c.last_event >= naive_utc(span[0]), batch_data.c.first_event < naive_utc(span[1])]
        statement = select(*columns).where(*conditions)
        blobs: dict[int, list[Blob]] = {}
        for numbers in slices(sorted({*batches})):
            ordered = statement.where(batch_data.c.batch_number.in_(numbers)).order_by(BATCH, "first_position")
            for row in self.connection.execute(ordered):
                blobs.setdefault(row[0], []).append(Blob(*row))
        return blobs

    def schema_of(self, features: Sequence[str] | None) -> pa.Schema:
        """Return the columns of rows: outputs, all features or only those named, `BATCH` and `POSITION`."""
        fields = [field for field in self.schema.features if features is None or field.name in features]
        return pa.schema([*self.schema.outputs, *fields, *_placed(Blob(0, 0, 0)).schema])

    def tables(self, portion: Portion, features: Sequence[str] | None = None) -> dict[Blob, pa.Table]:
        """Return all rows of the blobs in MySQL, by blob; those that were archived meanwhile have none.

        The columns of segments are among the outputs; blobs of features are read where an older spec stored them
        there, or where all features are wanted.
        """
        if features is None:
            return self._decoded({blob: _placed(blob) for blob in portion}, (OUTPUTS, FEATURES))
        parts = self._decoded({blob: _placed(blob) for blob in portion}, (OUTPUTS,))
        names = {*features}
        lacking = {blob: table for blob, table in parts.items() if not names.issubset(table.column_names)}
        complete = {blob: table for blob, table in parts.items() if blob not in lacking}
        return complete | self._decoded(lacking, (FEATURES,), names)

    def at(self, places: pd.DataFrame, find: Find) -> pa.Table:
        """Return the rows at some places, in their order; `find` looks up the archive objects of their batches.

        Blobs are decoded a few at a time, and only the rows that are returned are kept. `places` has `BATCH` and
        `POSITION`.

        Raises:
            RowsRemoved: rows were archived and then removed. DamagedBatch: a place has no row.
        """
        keys = place_keys(places[BATCH].to_numpy(np.int64), places[POSITION].to_numpy(np.int64))
        ordered, schema = np.sort(keys), self.schema_of(None)
        blobs = self.blobs(map(int, places[BATCH].unique())).values()
        touched = [blob for of_batch in blobs for blob in of_batch if _has_any(ordered, blob)]
        tables = [schema.empty_table()]
        for portion in portions(touched, max(1, VALUES_AT_ONCE // len(self.schema.all))):
            table = columnar.concatenated(self.tables(portion).values(), schema)
            tables.append(table.filter(pa.array(np.isin(keys_of(table), ordered))))
        archive = ArchivedRows(find)  # looked up after the blobs: see there
        archived = columnar.concatenated([archive.read(_spans(places), schema.names)], schema)
        stored = archive.without_archived(pa.concat_tables(tables))
        rows = pa.concat_tables([stored, archived.filter(pa.array(np.isin(keys_of(archived), ordered)))])
        order = pd.Index(keys_of(rows)).get_indexer(pd.Index(keys))
        if (order < 0).any():
            raise RowsRemoved if archive.objects else columnar.DamagedBatch
        return rows.drop_columns([BATCH, POSITION]).take(order)

    def _decoded(
        self, parts: dict[Blob, pa.Table], contents: Sequence[str], names: Collection[str] | None = None
    ) -> dict[Blob, pa.Table]:
        """Return `parts`, the rows of some blobs, with the columns of their contents, all or those named.

        Blobs that are no longer in MySQL are left out.
        """
        if not parts:
            return {}
        blobs = {(blob.batch, blob.first): blob for blob in parts}
        place = tuple_(batch_data.c.batch_number, batch_data.c.first_position)
        columns = (batch_data.c[name] for name in (BATCH, "first_position", "data"))
        statement = select(*columns).where(place.in_([*blobs]), batch_data.c.content.in_(contents))
        decoded: dict[Blob, pa.Table] = {}
        for number, first, data in self.connection.execute(statement):
            blob, content = blobs[number, first], columnar.decode(data, names)
            table = decoded.get(blob, parts[blob])
            for field, column in zip(content.schema, content.columns, strict=True):
                table = table.append_column(field, column)
            decoded[blob] = table
        return decoded


def portions(blobs: Sequence[Blob], rows: int) -> Iterator[Portion]:
    """Cut blobs into portions of about `rows` rows at most."""
    portion: list[Blob] = []
    filled = 0
    for blob in blobs:
        if portion and filled + blob.rows > rows:
            yield portion
            portion, filled = [], 0
        portion.append(blob)
        filled += blob.rows
    if portion:
        yield portion


def slices(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Cut numbers of batches into as many as one statement takes."""
    for first in range(0, len(numbers), BATCHES_AT_ONCE):
        yield numbers[first : first + BATCHES_AT_ONCE]


def keys_of(table: pa.Table) -> IntArray:
    """Return one number for the place of each row of a table that has `BATCH` and `POSITION`."""
    return place_keys(table.column(BATCH).to_numpy(), table.column(POSITION).to_numpy())


def _has_any(keys: IntArray, blob: Blob) -> bool:
    """Return whether a blob has a row at one of some places, given in ascending order of their keys."""
    ends = np.array([blob.first, blob.first + blob.rows])
    first, last = np.searchsorted(keys, place_keys(np.full(2, blob.batch), ends))
    return bool(first < last)


def _spans(places: pd.DataFrame) -> list[BatchSpan]:
    """Return spans with all places, one for each batch."""
    ends = places.groupby(BATCH)[POSITION].agg(["min", "max"])
    return [BatchSpan(int(batch), int(first), int(last) + 1) for batch, first, last in ends.itertuples()]


def _placed(blob: Blob) -> pa.Table:
    """Return the place of each row of a blob: the number of its batch, and its position in it."""
    positions = np.arange(blob.first, blob.first + blob.rows, dtype=np.int64)
    return pa.table({BATCH: np.full(blob.rows, blob.batch, np.int64), POSITION: positions})
