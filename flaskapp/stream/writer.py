"""Writes the next batch of a stream: records, labels known after them, how far the stream is. All or nothing."""

from collections.abc import Callable
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, Date, Engine, cast, distinct, func, select, update
from sqlalchemy.dialects.mysql import CHAR

from churn.columns import CHURN_MODEL, Cdr, prediction_id
from churn.ledger import RELAY
from churn.tables import cdr
from driftline.clock import naive_utc
from driftline.store import labels, tables
from driftline.store.database import in_transaction
from driftline.store.model_numbers import model_number
from driftline.store.tables import INSTANT
from flaskapp.records import write_records
from flaskapp.stream import runs as stream_runs
from flaskapp.stream.runs import Run, RunState
from flaskapp.stream.source import StreamSource

SourceOf = Callable[[str], StreamSource]
"""Gives the source of a stream from the JSON of its plan."""


def write_next(engine: Engine, run_id: str, source_of: SourceOf, now: datetime) -> Run:
    """Write the next batch of a running stream in one transaction; give the stream as it is afterwards.

    One that was stopped meanwhile stays as it is. The row of the stream says which batch is next and is locked while
    it is written, so neither a lost answer nor a second simulator writes one twice.

    Raises:
        DatabaseUnavailable: call it again.
    """

    def work(connection: Connection) -> Run:
        run = stream_runs.lock(connection, run_id)
        if run.state is not RunState.RUNNING:
            return run
        source = source_of(run.plan)
        batch = source.records(run.next_batch, now)
        added = write_records(connection, batch, now, [RELAY])
        _write_labels(connection, source, run.next_batch, now)
        return stream_runs.advance(connection, run, added, now)

    return in_transaction(engine, work)


def _write_labels(connection: Connection, source: StreamSource, number: int, now: datetime) -> None:
    known = source.labels(number)
    start = pd.Timestamp(source.plan.world.start_date, tz="UTC")
    frame = known.loc[(known["day"] >= start) | known["id"].isin(_ids_of_records(connection, known, start))]
    if frame.empty:
        return
    churn_number = model_number(connection, CHURN_MODEL)
    entered = labels.write_batch(connection, source.label_batch_id(number), churn_number, frame, now)
    if entered is not None:
        fill_pseudo_churned(connection, entered, churn_number)


def _ids_of_records(connection: Connection, known: pd.DataFrame, before: pd.Timestamp) -> set[str]:
    """Give the subscriber-days with a record among the labels' days before the stream: history may not be there."""
    days = known.loc[known["day"] < before, "day"]
    if days.empty:
        return set()
    there = select(distinct(func.concat(cast(cdr.c[Cdr.DATE], Date), "/", cdr.c[Cdr.MSISDN]))).where(
        cdr.c[Cdr.DATE] >= naive_utc(days.min()), cdr.c[Cdr.DATE] < naive_utc(before)
    )
    return set(connection.execute(there).scalars())


def fill_pseudo_churned(connection: Connection, batch_number: int, churn_number: int) -> int:
    """Copy a batch of labels into the records that they speak of, those stamped with the day itself; give their number.

    One statement, driven by the batch's labels: each finds its record by the table's key.
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
