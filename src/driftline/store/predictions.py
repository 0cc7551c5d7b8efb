"""The predictions of a model: immutable rows, each written once, in columnar batches that are read by chunk."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, and_, func, select

from driftline.clock import aware_utc, naive_utc
from driftline.engine.results import EVENT_TIME, ID, LABEL
from driftline.engine.spec import Spec
from driftline.store import columnar, ledger
from driftline.store.archive_file import Span
from driftline.store.archive_objects import objects_of_batches
from driftline.store.archived_rows import ArchivedRows
from driftline.store.labels import value_column
from driftline.store.prediction_batch import IN_ORDER, PredictionBatch
from driftline.store.prediction_schema import MODEL_VERSION, PredictionSchema, require_valid
from driftline.store.prediction_writer import PredictionWriter, Written
from driftline.store.removed_rows import BATCH, POSITION, without_removed
from driftline.store.tables import batch_data, labels, ledger_slots, predictions
from driftline.store.tables import ledger as ledger_table


class PredictionStore:
    """Reads and writes the predictions of one model; the columns of its spec are the schema."""

    def __init__(self, number: int, spec: Spec) -> None:
        """Take the model's number and one of its specs; nothing is opened."""
        self.number, self.spec = number, spec
        self.schema = PredictionSchema(spec)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that a writer sends."""
        return self.schema.names

    def write(self, connection: Connection, batch_id: str, frame: pd.DataFrame, written_at: datetime) -> Written:
        """Write a batch through the ledger; the same batch sent again changes nothing.

        `frame` has the columns of `self.columns`: event_time and scored_at aware, at most 100,000 rows. A prediction
        that is stored with the same content is ignored; one computed at another time is still the same.

        Raises:
            SchemaMismatch: columns are missing. InvalidInput: a value does not fit.
            BatchConflict: the batch id has other content.
            PredictionConflict: an id is stored with other content.
        """
        table = columnar.to_table(frame, self.schema.all)
        require_valid(frame, self.spec)
        return self.writer.write(connection, batch_id, self.batch(table), written_at)

    def batch(self, table: pa.Table, assumed: frozenset[str] = frozenset()) -> PredictionBatch:
        """Return the batch of a table of the schema's columns; nobody sent the values of the `assumed` ones."""
        return PredictionBatch.of(table, self.schema, assumed)

    @property
    def writer(self) -> PredictionWriter:
        """Writes batches that are checked."""
        return PredictionWriter(self.number, self._read_data)

    def read(self, connection: Connection, version: int, start: datetime, end: datetime) -> pd.DataFrame:
        """Read a version's rows in the half-open span of aware instants, with labels, by event time and id.

        Columns: those of a prediction, batch_number, label (nullable), label_known_at, label_batch_number.
        """
        numbers = self._batches(connection, version, start, end)
        table = self._read_data(connection, numbers, start, end)
        inside = pc.and_(
            pc.equal(table.column(MODEL_VERSION), version),
            pc.and_(
                pc.greater_equal(table.column(EVENT_TIME), pa.scalar(start, columnar.INSTANT_TYPE)),
                pc.less(table.column(EVENT_TIME), pa.scalar(end, columnar.INSTANT_TYPE)),
            ),
        )
        table = without_removed(connection, table.filter(inside)).sort_by(IN_ORDER)
        rows: pd.DataFrame = table.to_pandas()
        frame = rows.merge(self._labels(connection, numbers, start, end), "left", on=[BATCH, POSITION], sort=False)
        return frame.drop(columns=POSITION)

    def _batches(self, connection: Connection, version: int, start: datetime, end: datetime) -> list[int]:
        """Return the numbers of the batches with rows of a version in a span."""
        statement = select(ledger_slots.c.batch_number).where(self._slots(version, start, end)).distinct()
        return [*connection.execute(statement.order_by(ledger_slots.c.batch_number)).scalars()]

    def _slots(self, version: int, start: datetime, end: datetime) -> ColumnElement[bool]:
        """Return the condition for the quarters of an hour in a span; chunks begin and end on one."""
        slot = ledger_slots.c.slot
        same_version = and_(ledger_slots.c.model_number == self.number, ledger_slots.c.model_version == version)
        return and_(same_version, slot >= naive_utc(start), slot < naive_utc(end))

    def _read_data(
        self, connection: Connection, numbers: Sequence[int], start: datetime | None = None, end: datetime | None = None
    ) -> pa.Table:
        """Return the rows of some batches; parts of a batch that lie outside of the span are left out.

        The columns are the schema's, `batch_number` and `position`; a feature that a batch does not have is null.
        """
        conditions: list[ColumnElement[bool]] = [batch_data.c.batch_number.in_(numbers)]
        if start is not None and end is not None:
            conditions += [batch_data.c.last_event >= naive_utc(start), batch_data.c.first_event < naive_utc(end)]
        columns = (batch_data.c[name] for name in (BATCH, "first_position", "row_count", "data"))
        parts: dict[tuple[int, int], pa.Table] = {}
        rows = connection.execute(select(*columns).where(*conditions).order_by(batch_data.c.content.desc()))
        for number, first, count, data in rows:
            decoded = columnar.decode(data)
            part = parts.get((number, first)) or _placed(number, first, count)
            for name in decoded.schema.names:
                part = part.append_column(decoded.schema.field(name), decoded.column(name))
            parts[number, first] = part
        schema = pa.schema([*self.schema.all, *_placed(0, 0, 0).schema])
        archive = ArchivedRows(lambda: objects_of_batches(connection, self.number, numbers))
        stored = archive.without_archived(columnar.concatenated(parts.values(), schema))
        whole = [Span(int(number), 0, ledger.MAX_ROWS) for number in numbers]
        return columnar.concatenated([stored, archive.read(whole, schema.names)], schema)

    def _labels(self, connection: Connection, numbers: Sequence[int], start: datetime, end: datetime) -> pd.DataFrame:
        """Return the labels of the rows of some batches in a span, by batch number and position."""
        same_id = and_(labels.c.model_number == self.number, labels.c.id == predictions.c[ID])
        inside = and_(
            predictions.c.model_number == self.number,
            predictions.c[BATCH].in_(numbers),
            predictions.c.event_time >= naive_utc(start),
            predictions.c.event_time < naive_utc(end),
        )
        statement = (
            select(
                predictions.c[BATCH],
                predictions.c.position.label(POSITION),
                value_column(self.spec.problem).label(LABEL),
                labels.c.known_at.label("label_known_at"),
                labels.c.batch_number.label("label_batch_number"),
            )
            .select_from(predictions.join(labels, same_id))
            .where(inside)
        )
        rows = connection.execute(statement)
        frame = pd.DataFrame(rows.all(), columns=list(rows.keys()))
        return frame.astype({BATCH: np.int64, POSITION: np.int64})

    def count(self, connection: Connection, version: int, start: datetime, end: datetime) -> int:
        """Count a version's rows in a half-open span."""
        statement = select(func.coalesce(func.sum(ledger_slots.c.row_count), 0)).where(self._slots(version, start, end))
        return int(connection.execute(statement).scalar_one())

    def newest(self, connection: Connection) -> datetime | None:
        """Return the newest event time, which is the clock of the data, or None where there is no row."""
        of_model = ledger_table.c.model_number == self.number
        kind = ledger_table.c.kind.in_([ledger.BatchKind.PREDICTIONS, ledger.BatchKind.CORRECTION])
        newest = connection.execute(select(func.max(ledger_table.c.last_event)).where(of_model, kind)).scalar()
        return newest and aware_utc(newest)

    def places_of_labels(self, connection: Connection, batch_number: int) -> list[tuple[int, datetime]]:
        """Return the distinct (version, event time) of the predictions that a batch of labels belongs to."""
        same_id = and_(predictions.c.model_number == labels.c.model_number, predictions.c[ID] == labels.c.id)
        statement = (
            select(predictions.c.model_version, predictions.c.event_time)
            .join(labels, same_id)
            .where(labels.c.batch_number == batch_number, labels.c.model_number == self.number)
            .distinct()
        )
        return [(version, aware_utc(event_time)) for version, event_time in connection.execute(statement)]


def _placed(number: int, first: int, rows: int) -> pa.Table:
    """Return the place of consecutive rows of a batch: its number, and their positions in it."""
    return pa.table({BATCH: np.full(rows, number, np.int64), POSITION: np.arange(first, first + rows, dtype=np.int64)})
