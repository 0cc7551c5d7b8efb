"""A long history of the churn model: rows, labels, ledger and results, as after years of polls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy import Connection, Engine, delete, func, literal, select, text
from sqlalchemy import insert as insert_into
from sqlalchemy.sql.elements import ColumnElement

from churn.columns import CHURN_MODEL, FEATURES, prediction_id
from driftline.clock import naive_utc
from driftline.engine.spec import ColumnSpec, ModelClock, Spec
from driftline.objects import open_store
from driftline.store import tables
from driftline.store.database import in_transaction
from driftline.store.model_numbers import model_number
from driftline.store.polling import pending_chunks
from driftline.store.rows import labels
from driftline.store.rows.predictions import PredictionStore
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry
from monitoring.poll.poller import poll_once

DAY = timedelta(days=1)
NOW = datetime(2026, 7, 1, tzinfo=UTC)
LABEL_DELAY = 3
SPEC = Spec(
    columns=tuple(ColumnSpec(name=name) for name in FEATURES), clock=ModelClock.DATA, label_delay=LABEL_DELAY * DAY
)
LOADED_AT_ONCE = 50
"""Days per transaction while the history is created."""


def scored_day(day: datetime, rows: int) -> pd.DataFrame:
    """Return the predictions of one day with their true value in `label`: the columns of the churn model's table."""
    rng = np.random.default_rng(day.toordinal())
    truth = rng.normal(size=rows)
    score = 1 / (1 + np.exp(-1.5 * truth))
    date = f"{day:%Y-%m-%d}"
    columns = {
        "event_time": pd.DatetimeIndex([day] * rows).as_unit("us"),
        "id": [prediction_id(date, f"9990{number:08}") for number in range(rows)],
        "model_version": 1,
        "scored_at": pd.Timestamp(day + DAY).as_unit("us"),
        "prediction": (score > 0.5).astype(int),
        "probability_1": score,
        "label": (rng.uniform(size=rows) < score).astype(int),
    }
    noise = rng.gamma(2.0, 100.0, size=(len(FEATURES), rows))
    return pd.DataFrame({**columns, **{name: noise[n] * np.exp(truth / 9) for n, name in enumerate(FEATURES)}})


@dataclass
class StoredHistory:
    """A model with its history of days of equal size, and the rows of the days written after it, by start."""

    engine: Engine
    number: int
    next_day: datetime
    sizes: dict[datetime, int]

    @property
    def store(self) -> PredictionStore:
        """The store of the predictions."""
        return PredictionStore(self.number, SPEC)

    def add_day(self, rows: int) -> None:
        """Write one more day as the jobs and the simulator do: predictions, then the labels that arrive on it."""
        day, labeled = self.next_day, self.next_day - LABEL_DELAY * DAY
        frame = scored_day(day, rows)
        arrived = label_frame(scored_day(labeled, self.sizes[labeled]), day + DAY)
        in_transaction(self.engine, lambda c: self.store.write(c, f"predict/{day:%F}", frame, NOW))
        in_transaction(self.engine, lambda c: labels.write_batch(c, f"labels/{day:%F}", self.number, arrived, NOW))
        self.sizes[day] = rows
        self.next_day = day + DAY


def label_frame(scored: pd.DataFrame, known_at: datetime) -> pd.DataFrame:
    """Return the labels of predictions."""
    return pd.DataFrame({"id": scored["id"], "value": scored["label"], "known_at": pd.Timestamp(known_at)})


def make_history(engine: Engine, objects: Path, days: int, rows_a_day: int, next_day: datetime) -> StoredHistory:
    """Register the model and fill its history: rows as written, results of one computed day copied to all others.

    The last days are then polled, so that what is open, due or waiting for labels is as it would be.
    """
    _register(engine, objects, rows_a_day, next_day)
    starts = [next_day - (days - n) * DAY for n in range(days)]
    with engine.connect() as connection:
        number = model_number(connection, CHURN_MODEL)
    history = StoredHistory(engine, number, next_day, dict.fromkeys(starts, rows_a_day))
    for first in range(0, days, LOADED_AT_ONCE):
        _load(history, starts[first : first + LOADED_AT_ONCE])
    settled, latest = starts[: -LABEL_DELAY - 1], set(starts[-LABEL_DELAY - 1 :])
    _poll(history, {settled[-1]})
    in_transaction(engine, lambda connection: _copy_results(connection, settled[-1]))
    _poll(history, latest)
    with engine.connect() as connection:
        stored = (tables.predictions, tables.batch_data, tables.labels)
        for table in (*stored, tables.results, tables.chunk_revisions, tables.verdicts):
            connection.exec_driver_sql(f"ANALYZE TABLE {table.name}")  # our own name
    return history


def _register(engine: Engine, objects: Path, rows_a_day: int, next_day: datetime) -> None:
    first = next_day - 5000 * DAY
    reference = pd.concat([scored_day(first + n * DAY, rows_a_day) for n in range(14)], ignore_index=True)
    registry.register(
        engine, registry.Candidate(CHURN_MODEL, SPEC, "0" * 64, reference, None, {}), open_store(objects), NOW
    )


def _load(history: StoredHistory, days: Sequence[datetime]) -> None:
    """Write the predictions and labels of some days, as processed already."""

    def work(connection: Connection) -> None:
        for day in days:
            frame = scored_day(day, history.sizes[day])
            history.store.write(connection, f"history/predictions/{day:%F}", frame, NOW)
            if day < history.next_day - LABEL_DELAY * DAY:
                arrived = label_frame(frame, day + (LABEL_DELAY + 1) * DAY)
                labels.write_batch(connection, f"history/labels/{day:%F}", history.number, arrived, NOW)
        connection.execute(delete(tables.pending_batches))

    in_transaction(history.engine, work)


def _poll(history: StoredHistory, days: set[datetime]) -> None:
    in_transaction(
        history.engine, lambda connection: pending_chunks.queue(connection, VersionKey(history.number, 1), days)
    )
    polled = poll_once(history.engine, NOW, scheduled=False)
    assert polled.chunks == len(days), polled


def _copy_results(connection: Connection, day: datetime) -> None:
    """Copy the results of one day to every earlier day."""
    earlier = (
        select(tables.ledger_slots.c.slot).where(tables.ledger_slots.c.slot < naive_utc(day)).distinct().subquery()
    )
    for table in (tables.chunk_revisions, tables.results, tables.verdicts):
        moved: dict[str, ColumnElement[object]] = {
            "chunk_start": earlier.c.slot,
            "chunk_end": func.timestampadd(text("DAY"), 1, earlier.c.slot),
        }
        values = [moved.get(column.name, column) for column in table.columns]
        copied = select(*values).select_from(table).join(earlier, literal(1) == 1)
        copied = copied.where(table.c.chunk_start == naive_utc(day))
        connection.execute(insert_into(table).from_select([column.name for column in table.columns], copied))
