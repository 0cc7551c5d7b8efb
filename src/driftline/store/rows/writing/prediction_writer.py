"""Writes batches of predictions through the ledger: each row once, and never other content under the same id."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, Row, insert, select

from driftline.clock import MAX_CLOCK_SKEW, naive_utc
from driftline.engine.frames.columns import BoolArray
from driftline.engine.results import EVENT_TIME, ID
from driftline.errors import InvalidInput, PredictionConflict
from driftline.store import bulk, ledger
from driftline.store.rows.archived.archive_objects import objects_of_batches
from driftline.store.rows.encoding import columnar
from driftline.store.rows.encoding.prediction_batch import ID_COLUMNS, PredictionBatch
from driftline.store.rows.encoding.prediction_schema import MODEL_VERSION, PredictionSchema
from driftline.store.rows.reading.stored_rows import StoredRows
from driftline.store.rows.removed_rows import BATCH, POSITION
from driftline.store.tables import batch_data, predictions
from driftline.store.version_key import VersionKey

IDS_AT_ONCE = 2_000
"""How many ids are looked up by one statement."""
SHOWN_IDS = 5


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows of a batch were new, and how many were stored already with the same content."""

    new: int
    same: int


@dataclass(frozen=True)
class PredictionWriter:
    """Writes the predictions of one model, which have the columns of a schema."""

    number: int
    schema: PredictionSchema

    def write(self, connection: Connection, batch_id: str, batch: PredictionBatch, written_at: datetime) -> Written:
        """Write a batch through the ledger; the same batch sent again changes nothing.

        Raises:
            InvalidInput: an event time lies in the future, or there are too many rows.
            BatchConflict: the batch id has other content.
            PredictionConflict: an id is stored with other content.
        """
        rows = batch.table.num_rows
        number = self.open(connection, batch_id, ledger.BatchKind.PREDICTIONS, batch, written_at)
        if number is None:
            return Written(0, rows)
        with ThreadPoolExecutor(1) as encoder:  # it compresses the columns while MySQL loads the ids
            encoded = encoder.submit(lambda: batch.parts)
            new = self._insert_new(connection, number, batch)
            encoded.result()
        self.insert_data(connection, number, new)
        self._touch(connection, number, new.table)
        if not new.table.num_rows:
            ledger.clear_events(connection, number)  # times that nobody sent are not those of the stored rows
        return Written(new.table.num_rows, rows - new.table.num_rows)

    def open(
        self, connection: Connection, batch_id: str, kind: str, batch: PredictionBatch, written_at: datetime
    ) -> int | None:
        """Open a batch of rows in the ledger; return its number, or None where the ledger has it already.

        A correction without event times has no first and last event: its rows keep theirs, and the newest event of a
        model, its clock, stays.
        """
        untimed = kind == ledger.BatchKind.CORRECTION and EVENT_TIME in batch.assumed
        span = (None if untimed else columnar.bounds_of(batch.table, EVENT_TIME)) or (None, None)
        _require_past(span[1], written_at)
        rows, content = batch.table.num_rows, batch.content_hash
        entry = ledger.Batch(batch_id, kind, content, rows, written_at, self.number, *span)
        return ledger.open_batch(connection, entry, [ledger.Consumer.MONITOR])

    def _insert_new(self, connection: Connection, number: int, batch: PredictionBatch) -> PredictionBatch:
        """Insert the ids that are not stored yet, and return their rows: their positions are those in that batch.

        A writer of the same ids that has not committed is waited for. Rows that are stored must have the same content.
        """
        new = batch
        while new.table.num_rows:
            savepoint = connection.begin_nested()
            try:
                self.load_ids(connection, number, new)
            except InvalidInput:
                savepoint.rollback()  # only after this error: a deadlock ends the transaction and its savepoints
                stored = self.places_of(connection, new.table.column(ID).to_pylist())
                if stored.empty:
                    raise
                new = self._without_stored(connection, new, stored)
            else:
                savepoint.commit()
                break
        return new

    def load_ids(self, connection: Connection, number: int, batch: PredictionBatch) -> None:
        """Load one row for each prediction."""
        constants = {"model_number": self.number, BATCH: number}
        bulk.load(connection, predictions, ID_COLUMNS, batch.id_rows, constants)

    def places_of(self, connection: Connection, ids: Sequence[str], *, lock: bool = False) -> pd.DataFrame:
        """Return id, place, version and event time of the stored ids; `lock` keeps other writers off them."""
        names = (ID, BATCH, POSITION, MODEL_VERSION, EVENT_TIME)
        columns = (
            predictions.c[ID],
            predictions.c[BATCH],
            predictions.c.position,
            predictions.c.model_version,
            predictions.c.event_time,
        )
        rows: list[Row[tuple[str, int, int, int, datetime]]] = []
        ordered = sorted(ids, key=str.encode)
        for first in range(0, len(ordered), IDS_AT_ONCE):
            selected = predictions.c[ID].in_(ordered[first : first + IDS_AT_ONCE])
            statement = select(*columns).where(predictions.c.model_number == self.number, selected)
            rows += connection.execute(statement.with_for_update() if lock else statement).all()
        frame = pd.DataFrame(rows, columns=list(names))
        frame[EVENT_TIME] = pd.to_datetime(frame[EVENT_TIME]).dt.as_unit("us").dt.tz_localize("UTC")
        return frame.astype(dict.fromkeys((BATCH, POSITION, MODEL_VERSION), np.int64))

    def _without_stored(self, connection: Connection, batch: PredictionBatch, places: pd.DataFrame) -> PredictionBatch:
        """Return the rows that are not stored; reject those that are stored with other content."""
        differs = self.differing(connection, batch, places)
        if differs.any():
            ids = sorted(places[ID][differs])
            conflict = PredictionConflict(details=(shown_ids(ids),))
            conflict.ids = tuple(ids)
            raise conflict
        sent_ids = batch.table.column(ID).to_pandas()
        return batch.only(pa.array(~sent_ids.isin(places[ID])))

    def differing(self, connection: Connection, batch: PredictionBatch, places: pd.DataFrame) -> BoolArray:
        """Return which of the stored rows at `places` have other content than the batch has under their ids.

        Raises:
            RowsRemoved: rows were archived and then removed.
        """
        sent = batch.table.take(pd.Index(batch.table.column(ID).to_pandas()).get_indexer(pd.Index(places[ID])))
        numbers = [*map(int, places[BATCH].unique())]
        find = partial(objects_of_batches, connection, self.number, numbers)
        stored = StoredRows(connection, self.schema).at(places, find).select(sent.column_names)
        return columnar.differing_rows(sent.drop_columns(batch.uncompared), stored.drop_columns(batch.uncompared))

    def insert_data(self, connection: Connection, number: int, batch: PredictionBatch) -> None:
        """Store the columns of a batch's new rows as blobs: outputs and features of the same rows, apart."""
        for part in batch.parts:
            events = part.rows.column(EVENT_TIME)
            place = {
                BATCH: number,
                "first_position": part.first,
                "row_count": part.rows.num_rows,
                "first_event": naive_utc(events[0].as_py()),
                "last_event": naive_utc(events[-1].as_py()),
            }
            for content, data in part.blobs.items():
                connection.execute(insert(batch_data).values(**place, content=content, data=data))

    def _touch(self, connection: Connection, number: int, table: pa.Table) -> None:
        """Record the quarters of an hour of the rows that the batch added."""
        for version in pc.unique(table.column(MODEL_VERSION)).to_pylist():
            rows = table.filter(pc.equal(table.column(MODEL_VERSION), version))
            times = rows.column(EVENT_TIME).to_pandas()
            ledger.touch_added(connection, number, VersionKey(self.number, version), times)


def shown_ids(ids: Sequence[str]) -> str:
    """Return the first of some ids as a message lists them, and how many more there are."""
    more = f" and {len(ids) - SHOWN_IDS:,} more" if len(ids) > SHOWN_IDS else ""
    return f"id {', '.join(map(repr, ids[:SHOWN_IDS]))}{more}"


def _require_past(newest: datetime | None, now: datetime) -> None:
    """Reject event times in the future: one such row would close every chunk of a model whose clock is its data."""
    if newest is not None and newest > now + MAX_CLOCK_SKEW:
        raise InvalidInput(f"An event time, {newest:%Y-%m-%d %H:%M} UTC, lies in the future; nothing was written.")
