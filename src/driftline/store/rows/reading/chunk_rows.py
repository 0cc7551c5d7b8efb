"""The rows of a chunk by batch: its batches, their removed rows, and portions of their rows."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, and_, false, func, literal, or_, select

from driftline.clock import naive_utc
from driftline.engine.catalogue import Problem
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import EVENT_TIME, LABEL
from driftline.engine.spec import Spec
from driftline.store.rows.archived import archive_file
from driftline.store.rows.archived.archive_objects import objects_between
from driftline.store.rows.archived.archived_rows import ArchivedRows
from driftline.store.rows.encoding import columnar
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION, PredictionSchema
from driftline.store.rows.labels import value_column
from driftline.store.rows.reading.stored_rows import Blob, Portion, StoredRows, portions, slices
from driftline.store.rows.removed_rows import BATCH, POSITION, without_removed
from driftline.store.tables import labels, ledger_slots, predictions, removed_rows
from driftline.store.version_key import VersionKey

PORTION_BLOBS = 500
"""How many blobs are read by one statement at most."""
JOINED_LABELS = 4_096
"""How many labels are read as one text at most, which stays below `LONGEST_JOINED_TEXT` with the longest classes."""
LABEL_COLUMNS = (LABEL, "label_known_at", "label_batch_number")


class ChunkReader:
    """Reads the rows that one version of a model has in one chunk."""

    def __init__(self, connection: Connection, key: VersionKey, spec: Spec, chunk: Chunk) -> None:
        """Store what is read; nothing is read yet."""
        self.connection, self.key, self.spec, self.chunk = connection, key, spec, chunk
        self.schema = PredictionSchema(spec)
        self.stored = StoredRows(connection, self.schema)
        self._archive: ArchivedRows | None = None

    def removals(self) -> dict[int, int]:
        """Return, by the number of each batch with rows in the chunk, how many rows of the batch are removed.

        Removals are read after the numbers of the batches (see `driftline.store.rows.removed_rows`).
        """
        slot = ledger_slots.c.slot
        in_chunk = and_(
            self.key.rows_of(ledger_slots),
            slot >= naive_utc(self.chunk.start),
            slot < naive_utc(self.chunk.end),
        )
        numbers = self.connection.execute(select(ledger_slots.c.batch_number).where(in_chunk).distinct()).scalars()
        removals = dict.fromkeys(map(int, numbers), 0)
        for batches in slices(sorted(removals)):
            counts = select(removed_rows.c.batch_number, func.count()).where(removed_rows.c.batch_number.in_(batches))
            removals |= dict(map(tuple, self.connection.execute(counts.group_by(removed_rows.c.batch_number))))
        return removals

    def groups(self, batches: Iterable[int], rows: int) -> Iterator[tuple[list[int], list[Portion]]]:
        """Yield some of `batches` at a time, with portions that hold all their rows in the chunk.

        Batches of a group, and a portion, have about `rows` rows at most, unless a single one has more.
        """
        numbers: list[int] = []
        blobs: list[Blob] = []
        filled, by_batch = 0, self._blobs(batches)
        for batch in sorted(batches):
            of_batch = by_batch.get(batch, [])
            added = sum(blob.rows for blob in of_batch)
            if numbers and (filled + added > rows or len(blobs) >= PORTION_BLOBS):
                yield numbers, list(portions(blobs, rows))
                numbers, blobs, filled = [], [], 0
            numbers.append(batch)
            blobs += of_batch
            filled += added
        if numbers:
            yield numbers, list(portions(blobs, rows))

    def portion(self) -> Portion:
        """Return all blobs that have rows in the chunk."""
        return [blob for blobs in self._blobs(self.removals()).values() for blob in blobs]

    def read(self, portion: Portion, *, features: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows of a portion that count: outputs, and all features or only those named.

        Beside them are the columns `BATCH` and `POSITION`.
        """
        frame: pd.DataFrame = self.table(portion, features).to_pandas()
        return frame

    def table(self, portion: Portion, features: Sequence[str] | None = None) -> pa.Table:
        """Return what `read` does, as an Arrow table."""
        table = self._decoded(portion, features)
        inside = pc.and_(
            pc.equal(table.column(MODEL_VERSION), self.key.version),
            pc.and_(
                pc.greater_equal(table.column(EVENT_TIME), pa.scalar(self.chunk.start, columnar.INSTANT_TYPE)),
                pc.less(table.column(EVENT_TIME), pa.scalar(self.chunk.end, columnar.INSTANT_TYPE)),
            ),
        )
        return without_removed(self.connection, table.filter(inside))

    def with_labels(self, frame: pd.DataFrame, portion: Portion) -> pd.DataFrame:
        """Return the rows of a portion with `LABEL_COLUMNS`; all three are missing where a label is not known yet."""
        labels = self._labels(portion)
        return frame.merge(labels, "left", on=[BATCH, POSITION], sort=False)

    def batches_of_labels(self, label_batches: Sequence[int]) -> set[int]:
        """Return the batches of the predictions in the chunk whose label one of some batches of labels wrote."""
        same_id = and_(predictions.c.model_number == labels.c.model_number, predictions.c.id == labels.c.id)
        in_chunk = and_(
            labels.c.model_number == self.key.model_number,
            predictions.c.model_version == self.key.version,
            predictions.c.event_time >= naive_utc(self.chunk.start),
            predictions.c.event_time < naive_utc(self.chunk.end),
        )
        numbers: set[int] = set()
        for batches in slices(label_batches):
            statement = select(predictions.c.batch_number).join(labels, same_id).where(in_chunk)
            numbers |= set(
                self.connection.execute(statement.where(labels.c.batch_number.in_(batches)).distinct()).scalars()
            )
        return numbers

    def _blobs(self, batches: Iterable[int]) -> dict[int, list[Blob]]:
        """Return the blobs of some batches that may have rows in the chunk, without their content."""
        blobs = self.stored.blobs(batches, (self.chunk.start, self.chunk.end))
        self._archive = self._find_archived()
        for span in self._archive.spans(sorted(batches), archive_file.rows_per_group(len(self.schema.all))):
            blobs.setdefault(span.batch, []).append(Blob(span.batch, span.first, span.after - span.first, True))
        return blobs

    def _find_archived(self) -> ArchivedRows:
        chunk = self.chunk
        return ArchivedRows(lambda: objects_between(self.connection, self.key, chunk.start, chunk.end))

    def _decoded(self, portion: Portion, features: Sequence[str] | None) -> pa.Table:
        """Return all stored rows of a portion with the columns asked for; one that a batch does not have is null."""
        blobs, schema = [blob for blob in portion if not blob.archived], self.stored.schema_of(features)
        parts = self.stored.tables(blobs, features)
        archive = self._archive or self._find_archived()
        stored = archive.without_archived(columnar.concatenated(parts.values(), schema))
        archived = archive.read([blob.span for blob in portion if blob.archived], schema.names)
        absent = [blob for blob in blobs if blob not in parts]
        moved = archive.without_archived(self._moved(absent, schema)) if absent else schema.empty_table()
        return columnar.concatenated([stored, archived, moved], schema)

    def _moved(self, blobs: Portion, schema: pa.Schema) -> pa.Table:
        """Return the rows of blobs that were archived since they were listed.

        Raises:
            DamagedBatch: a blob is not in the archive either.
        """
        archive = self._find_archived()
        if not all(archive.has(blob.batch) for blob in blobs):
            raise columnar.DamagedBatch
        return columnar.concatenated([archive.read([blob.span for blob in blobs], schema.names)], schema)

    def _labels(self, portion: Portion) -> pd.DataFrame:
        """Return the labels of the rows of a portion that lie in the chunk, by batch number and position."""
        same_id = and_(labels.c.model_number == self.key.model_number, labels.c.id == predictions.c.id)
        in_chunk = and_(
            predictions.c.model_number == self.key.model_number,
            predictions.c.event_time >= naive_utc(self.chunk.start),
            predictions.c.event_time < naive_utc(self.chunk.end),
        )
        in_portion = or_(
            false(),
            *(
                and_(predictions.c.batch_number == number, predictions.c.position.between(first, last))
                for number, first, last in _spans(portion)
            ),
        )
        group = (predictions.c.batch_number, func.floor(predictions.c.position / JOINED_LABELS))
        joined = func.aggregate_strings(_label_as_json(self.spec.problem), ",")
        statement = select(joined).select_from(predictions.join(labels, same_id)).where(in_chunk, in_portion)
        texts = self.connection.execute(statement.group_by(*group)).scalars()
        rows = [row for text in texts for row in json.loads(f"[{text}]", parse_int=float)]
        frame = pd.DataFrame(rows, columns=[BATCH, POSITION, *LABEL_COLUMNS])
        return frame.astype({BATCH: np.int64, POSITION: np.int64}).assign(
            label_known_at=pd.to_datetime(frame["label_known_at"], format="%Y-%m-%d %H:%M:%S.%f")
        )


def _label_as_json(problem: Problem) -> ColumnElement[str]:
    """Return a label as a JSON list: the driver reads one text many times faster than rows of columns."""
    column = value_column(problem)
    value = func.json_quote(column) if problem is Problem.MULTICLASS else column
    place = predictions.c.batch_number, literal(","), predictions.c.position
    source = literal(',"'), labels.c.known_at, literal('",'), labels.c.batch_number
    return func.concat(literal("["), *place, literal(","), func.coalesce(value, "null"), *source, literal("]"))


def _spans(portion: Portion) -> Iterator[tuple[int, int, int]]:
    """Yield each batch of a portion, its first position in it, and the last one: the blobs of a batch are adjacent."""
    for batch, group in groupby(portion, lambda blob: blob.batch):
        blobs = [*group]
        yield batch, blobs[0].first, blobs[-1].first + blobs[-1].rows - 1
