"""Writes the next batch of a stream: records, labels and progress, in one transaction."""

from collections.abc import Callable
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, Date, Engine, cast, distinct, func, select, update
from sqlalchemy.dialects.mysql import CHAR

from churn.columns import CHURN_MODEL, Cdr, prediction_id
from churn.ledger import RELAY
from churn.tables import cdr
from driftline.clock import naive_utc
from driftline.store import tables
from driftline.store.database import in_transaction
from driftline.store.model_numbers import model_number
from driftline.store.rows import labels
from driftline.store.tables import INSTANT
from flaskapp.records import write_records
from flaskapp.stream import runs as stream_runs
from flaskapp.stream.runs import StreamRun, StreamRunState
from flaskapp.stream.source import StreamSource

SourceOf = Callable[[str], StreamSource]
"""Returns the source of a stream from the JSON of its plan."""


def write_next(engine: Engine, run_id: str, source_of: SourceOf, now: datetime) -> StreamRun:
    """Write the next batch of a running stream in one transaction; return the stream after it.

    A stream that was stopped in the meantime is returned unchanged. The stream's row names the next batch and stays
    locked while it is written, so neither a lost response nor a second simulator can write a batch twice.

    Raises:
        DatabaseUnavailable: call it again.
    """

    def work(connection: Connection) -> StreamRun:
        run = stream_runs.lock(connection, run_id)
        if run.state is not StreamRunState.RUNNING:
            return run
        source = source_of(run.plan)
        batch = source.records(run.next_batch, now)
        added = write_records(connection, batch, now, [RELAY])
        _write_labels(connection, source, run.next_batch, now)
        return stream_runs.advance(connection, run, added, now)

    return in_transaction(engine, work)


def _write_labels(connection: Connection, source: StreamSource, number: int, now: datetime) -> None:
    """Write the labels known from a batch's day on, for records that exist, and copy them into the records."""
    new_labels = source.labels(number)
    start = pd.Timestamp(source.plan.world.start_date, tz="UTC")
    frame = new_labels.loc[
        (new_labels["day"] >= start) | new_labels["id"].isin(_ids_with_record(connection, new_labels, start))
    ]
    if frame.empty:
        return
    churn_number = model_number(connection, CHURN_MODEL)
    batch_number = labels.write_batch(connection, source.label_batch_id(number), churn_number, frame, now)
    if batch_number is not None:
        fill_pseudo_churned(connection, batch_number, churn_number)


def _ids_with_record(connection: Connection, new_labels: pd.DataFrame, until: pd.Timestamp) -> set[str]:
    """Return the ids of the stored records of the labels' days before `until`; the history may not be loaded."""
    days = new_labels.loc[new_labels["day"] < until, "day"]
    if days.empty:
        return set()
    stamp = cdr.c[Cdr.DATE]
    with_record = select(distinct(func.concat(cast(stamp, Date), "/", cdr.c[Cdr.MSISDN]))).where(
        stamp >= naive_utc(days.min()), stamp < naive_utc(until)
    )
    return set(connection.execute(with_record).scalars())


def fill_pseudo_churned(connection: Connection, batch_number: int, churn_number: int) -> int:
    """Copy a batch of labels into their records, those stamped with the day itself; return the number of records.

    This is one statement, driven by the batch's labels: each label finds its record by the table's key.
    """
    label = tables.labels.c
    day = cast(func.left(label.id, len("2026-01-31")), INSTANT)
    user = cast(func.substr(label.id, len(prediction_id("2026-01-31", "")) + 1), CHAR(20, charset="ascii"))
    statement = (
        update(cdr)
        .where(
            label.batch_number == batch_number,
            label.model_number == churn_number,
            cdr.c[Cdr.DATE] == day,
            cdr.c[Cdr.MSISDN] == user,
        )
        .values({Cdr.PSEUDO_CHURNED: label.value})
    )
    return connection.execute(statement).rowcount
