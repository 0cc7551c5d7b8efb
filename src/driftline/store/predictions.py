"""The predictions of a model: immutable rows, each written once, read by chunk with their labels."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import pandas as pd
from sqlalchemy import ColumnElement, Connection, Table, and_, delete, func, insert, literal, or_, select

from driftline.clock import MAX_CLOCK_SKEW, aware_utc, naive_utc
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput, PredictionConflict, SchemaMismatch
from driftline.store import bulk, ledger
from driftline.store.tables import labels, prediction_columns, predictions, predictions_staging

NOT_COMPARED = frozenset({"scored_at"})
"""The same prediction computed at another time is still the same."""


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows of a batch were new, and how many were stored already with the same content."""

    new: int
    same: int


class PredictionStore:
    """Reads and writes the predictions of one model; the columns of its spec are the schema."""

    def __init__(self, number: int, spec: Spec) -> None:
        """Take the model's number and one of its specs; nothing is opened."""
        self.number = number
        self.table: Table = predictions(number, spec)
        self.staging: Table = predictions_staging(number, spec)
        self.columns: tuple[str, ...] = tuple(column.name for column in prediction_columns(spec))

    def create(self, connection: Connection) -> None:
        """Create the tables that are missing; DDL, so it commits by itself."""
        self.table.create(connection, checkfirst=True)
        self.staging.create(connection, checkfirst=True)

    def write(self, connection: Connection, batch_id: str, frame: pd.DataFrame, written_at: datetime) -> Written:
        """Write a batch through the ledger; the same batch sent again changes nothing.

        `frame` has the columns of `self.columns`: event_time and scored_at aware, at most 100,000 rows.

        Raises:
            SchemaMismatch: columns are missing. InvalidInput: a value does not fit.
            BatchConflict: the batch id has other content.
            PredictionConflict: an id is stored with other content.
        """
        missing = tuple(name for name in self.columns if name not in frame)
        if missing:
            raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))
        _require_valid(frame)
        _require_past(frame[EVENT_TIME].max() if len(frame) else None, written_at)
        payload = bulk.encode(frame, self.columns)
        compared = bulk.encode(frame, [name for name in self.columns if name not in NOT_COMPARED])
        batch = self._batch(batch_id, frame, ledger.content_hash(compared), written_at)
        number = ledger.open_batch(connection, batch, [ledger.Consumer.MONITOR])
        if number is None:
            return Written(0, len(frame))
        attempt = str(uuid4())
        bulk.load(connection, self.staging, self.columns, payload, {"batch_id": batch_id, "attempt": attempt})
        return self._move(connection, batch, attempt, number)

    def move(
        self, connection: Connection, batch_id: str, attempt: str, content_hash: str, written_at: datetime
    ) -> Written:
        """Move the rows staged under (batch, attempt) through the ledger; delete those of other attempts."""
        staged = self._staged(batch_id, attempt)
        rows, first, last = connection.execute(
            select(func.count(), func.min(self.staging.c[EVENT_TIME]), func.max(self.staging.c[EVENT_TIME])).where(
                staged
            )
        ).one()
        span = (aware_utc(first), aware_utc(last)) if rows else (None, None)
        _require_past(span[1], written_at)
        batch = ledger.Batch(
            batch_id, ledger.BatchKind.PREDICTIONS, content_hash, rows, written_at, self.number, span[0], span[1]
        )
        number = ledger.open_batch(connection, batch, [ledger.Consumer.MONITOR])
        if number is None:
            self._clear(connection, batch_id)
            return Written(0, rows)
        return self._move(connection, batch, attempt, number)

    def _batch(self, batch_id: str, frame: pd.DataFrame, content_hash: str, written_at: datetime) -> ledger.Batch:
        first, last = (frame[EVENT_TIME].min(), frame[EVENT_TIME].max()) if len(frame) else (None, None)
        kind = ledger.BatchKind.PREDICTIONS
        return ledger.Batch(batch_id, kind, content_hash, len(frame), written_at, self.number, first, last)

    def _staged(self, batch_id: str, attempt: str) -> ColumnElement[bool]:
        return and_(self.staging.c.batch_id == batch_id, self.staging.c.attempt == attempt)

    def _clear(self, connection: Connection, batch_id: str) -> None:
        connection.execute(delete(self.staging).where(self.staging.c.batch_id == batch_id))

    def _move(self, connection: Connection, batch: ledger.Batch, attempt: str, number: int) -> Written:
        """Move staged rows into the table; the ledger has the batch already."""
        new = self._insert_new(connection, batch.id, attempt, number)
        self._require_unchanged(connection, batch.id, attempt)  # last: another writer may have committed
        self._touch(connection, batch, number)
        self._clear(connection, batch.id)
        return Written(new, batch.rows - new)

    def _require_unchanged(self, connection: Connection, batch_id: str, attempt: str) -> None:
        """Reject staged rows whose id is stored with other content."""
        compared = [name for name in self.columns if name not in NOT_COMPARED | {ID}]
        differs = or_(*(~self.table.c[name].is_not_distinct_from(self.staging.c[name]) for name in compared))
        same_id = self.table.join(self.staging, self.table.c[ID] == self.staging.c[ID])
        conflicts = connection.execute(
            select(self.staging.c[ID]).select_from(same_id).where(self._staged(batch_id, attempt), differs).limit(5)
        ).scalars()
        details = tuple(f"id {name!r}" for name in conflicts)
        if details:
            raise PredictionConflict(details=details)

    def _insert_new(self, connection: Connection, batch_id: str, attempt: str, number: int) -> int:
        stored = select(literal(1)).where(self.table.c[ID] == self.staging.c[ID]).exists()
        new = select(*(self.staging.c[name] for name in self.columns), literal(number)).where(
            self._staged(batch_id, attempt), ~stored
        )
        return connection.execute(insert(self.table).from_select([*self.columns, "batch_number"], new)).rowcount

    def _touch(self, connection: Connection, batch: ledger.Batch, number: int) -> None:
        """Record the event times of the rows that this batch added."""
        if batch.first_event is None or batch.last_event is None:
            return
        added = connection.execute(
            select(self.table.c.model_version, self.table.c[EVENT_TIME])
            .where(
                self.table.c[EVENT_TIME].between(naive_utc(batch.first_event), naive_utc(batch.last_event)),
                self.table.c.batch_number == number,
            )
            .distinct()
        )
        by_version: dict[int, list[datetime]] = {}
        for version, event_time in added:
            by_version.setdefault(version, []).append(event_time)
        for version, event_times in by_version.items():
            ledger.touch(connection, number, version, event_times)

    def read(self, connection: Connection, version: int, start: datetime, end: datetime) -> pd.DataFrame:
        """Read a version's rows in the half-open span of aware instants, with labels, by event time and id.

        Columns: those of a prediction, batch_number, label (nullable), label_known_at, label_batch_number.
        """
        joined = self.table.outerjoin(
            labels, and_(labels.c.model_number == self.number, labels.c.id == self.table.c[ID])
        )
        statement = (
            select(
                *self.table.c,
                labels.c.value.label(LABEL),
                labels.c.known_at.label("label_known_at"),
                labels.c.batch_number.label("label_batch_number"),
            )
            .select_from(joined)
            .where(self._within(start, end), self.table.c.model_version == version)
            .order_by(self.table.c[EVENT_TIME], self.table.c[ID])
        )
        rows = connection.execute(statement)
        frame = pd.DataFrame(rows.all(), columns=list(rows.keys()))
        frame[EVENT_TIME] = pd.to_datetime(frame[EVENT_TIME], utc=True)
        return frame

    def _within(self, start: datetime, end: datetime) -> ColumnElement[bool]:
        event_time = self.table.c[EVENT_TIME]
        return and_(event_time >= naive_utc(start), event_time < naive_utc(end))

    def count(self, connection: Connection, version: int, start: datetime, end: datetime) -> int:
        """Count a version's rows in a half-open span."""
        statement = select(func.count()).where(self._within(start, end), self.table.c.model_version == version)
        return int(connection.execute(statement).scalar_one())

    def newest(self, connection: Connection) -> datetime | None:
        """Return the newest event time, which is the clock of the data, or None where there is no row."""
        newest = connection.execute(select(func.max(self.table.c[EVENT_TIME]))).scalar()
        return newest and aware_utc(newest)

    def places_of_labels(self, connection: Connection, batch_number: int) -> list[tuple[int, datetime]]:
        """Return the distinct (version, event time) of the predictions that a batch of labels belongs to."""
        statement = (
            select(self.table.c.model_version, self.table.c[EVENT_TIME])
            .join(labels, and_(labels.c.model_number == self.number, labels.c.id == self.table.c[ID]))
            .where(labels.c.batch_number == batch_number)
            .distinct()
        )
        return [(version, aware_utc(event_time)) for version, event_time in connection.execute(statement)]


def _require_past(newest: datetime | None, now: datetime) -> None:
    """Reject event times in the future: one such row would close every chunk of a model whose clock is its data."""
    if newest is not None and newest > now + MAX_CLOCK_SKEW:
        raise InvalidInput(f"An event time, {newest:%Y-%m-%d %H:%M} UTC, lies in the future; nothing was written.")


def _require_valid(frame: pd.DataFrame) -> None:
    """Reject a batch of which any row is invalid, and list all faults."""
    faults = []
    if frame[ID].astype(str).duplicated().any():
        faults.append("ids must be unique in the batch")
    if frame[ID].astype(str).str.fullmatch(r".{0,127}\S").eq(False).any():
        faults.append("an id must have 1 to 128 characters and not end with a blank")
    if not frame[SCORE].between(0, 1).all():
        faults.append(f"{SCORE} must lie between 0 and 1")
    if not frame[PREDICTION].isin((0, 1)).all():
        faults.append(f"{PREDICTION} must be 0 or 1")
    if faults:
        raise InvalidInput("The predictions are invalid; nothing was written.", details=tuple(faults))
