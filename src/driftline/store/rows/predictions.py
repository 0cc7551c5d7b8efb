"""The predictions of a model: immutable rows, each written once, in columnar batches that are read by chunk."""

from datetime import UTC, datetime, time, timedelta

import pandas as pd
import pyarrow as pa
from sqlalchemy import ColumnElement, Connection, Date, Integer, and_, func, select

from driftline.clock import aware_utc, naive_utc
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import EVENT_TIME, ID
from driftline.engine.spec import Spec
from driftline.store import ledger
from driftline.store.rows.encoding import columnar
from driftline.store.rows.encoding.prediction_batch import PredictionBatch
from driftline.store.rows.encoding.prediction_schema import PredictionSchema, require_valid
from driftline.store.rows.reading.chunk_rows import LABEL_COLUMNS, ChunkReader
from driftline.store.rows.removed_rows import BATCH
from driftline.store.rows.writing.prediction_writer import PredictionWriter, Written
from driftline.store.tables import labels, ledger_slots, predictions
from driftline.store.tables import ledger as ledger_table
from driftline.store.version_key import VersionKey

BEFORE_ANY_DATA = datetime(1970, 1, 1, tzinfo=UTC)
"""The present time of a model clock that follows the data, while there is none."""


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
        return PredictionWriter(self.number, self.schema)

    def read(self, connection: Connection, version: int, start: datetime, end: datetime) -> pd.DataFrame:
        """Read a version's rows in the half-open span of aware instants, with labels, by event time and id.

        Columns: those of a prediction, batch_number, label (nullable), label_known_at, label_batch_number.
        """
        rows = ChunkReader(connection, VersionKey(self.number, version), self.spec, Chunk(start, end))
        portion = rows.portion()
        frame = rows.with_labels(rows.read(portion), portion).sort_values([EVENT_TIME, ID], ignore_index=True)
        return frame[[*self.columns, BATCH, *LABEL_COLUMNS]]

    def _slots(self, version: int, start: datetime, end: datetime) -> ColumnElement[bool]:
        """Return the condition for the quarters of an hour in a span; chunks begin and end on one."""
        slot = ledger_slots.c.slot
        same_version = and_(ledger_slots.c.model_number == self.number, ledger_slots.c.model_version == version)
        return and_(same_version, slot >= naive_utc(start), slot < naive_utc(end))

    def count(self, connection: Connection, version: int, start: datetime, end: datetime) -> int:
        """Count a version's rows in a half-open span."""
        statement = select(func.coalesce(func.sum(ledger_slots.c.row_count), 0)).where(self._slots(version, start, end))
        return int(connection.execute(statement).scalar_one())

    def newest(self, connection: Connection) -> datetime | None:
        """Return the newest event time, which model clocks of the kind `data` follow, or None where there is no row."""
        of_model = ledger_table.c.model_number == self.number
        kind = ledger_table.c.kind.in_(ledger.KINDS_WITH_ROWS)
        newest = connection.execute(select(func.max(ledger_table.c.last_event)).where(of_model, kind)).scalar()
        return newest and aware_utc(newest)

    def slots_of_labels(self, connection: Connection, batch_number: int) -> list[tuple[int, datetime]]:
        """Return the distinct versions and slots (quarters of an hour) of the predictions that a batch labels."""
        same_id = and_(predictions.c.model_number == labels.c.model_number, predictions.c[ID] == labels.c.id)
        at = predictions.c.event_time
        minute = func.hour(at, type_=Integer) * 60 + func.minute(at, type_=Integer)
        slot = func.floor(minute / ledger.SLOT_MINUTES)
        statement = (
            select(predictions.c.model_version, func.date(at, type_=Date), slot)
            .join(labels, same_id)
            .where(labels.c.batch_number == batch_number, labels.c.model_number == self.number)
            .distinct()
        )
        return [
            (version, aware_utc(datetime.combine(day, time()) + timedelta(minutes=int(number) * ledger.SLOT_MINUTES)))
            for version, day, number in connection.execute(statement)
        ]
