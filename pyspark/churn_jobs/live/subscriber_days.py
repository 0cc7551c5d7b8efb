"""Subscriber-days: which have no prediction yet, and their records of the trailing days."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from sqlalchemy import Connection, Date, LargeBinary, cast, func, literal, select
from sqlalchemy.sql.elements import ColumnElement

from churn.columns import TRAILING_DAYS, USAGE_OF_CDR, Cdr, Processed, prediction_id
from churn.tables import cdr
from churn_jobs.days import DayRange
from churn_jobs.predicted.predicted_store import stored_ids
from churn_jobs.prepared.features import SOURCES
from driftline.clock import naive_utc
from driftline.engine.results import ID

AT_ONCE = 500
"""Subscribers of one statement: MariaDB makes a list of more than 1,000 a table, which it joins."""
RECORDS = pa.schema(
    [
        (Cdr.DATE, pa.date32()),
        (Cdr.MSISDN, pa.string()),
        *((source, pa.int64()) for source in USAGE_OF_CDR.values()),
        (Cdr.PSEUDO_CHURNED, pa.int16()),
    ]
)
WANTED = "wanted"
"""The column that marks the records of the subscriber-days to predict."""
JOINED = tuple(name for name in SOURCES if name != Cdr.MSISDN)
"""The columns of a record in a subscriber's joined text, the day first."""


def without_prediction(connection: Connection, days: pd.DataFrame) -> pd.DataFrame:
    """Return the subscriber-days (columns Date and User) that have no prediction yet, with their prediction's id."""
    pairs = zip(days[Processed.DATE], days[Processed.USER], strict=True)
    named = days.assign(**{ID: [prediction_id(day.isoformat(), user) for day, user in pairs]})
    return named[~named[ID].isin(stored_ids(connection, named[ID].tolist()))]


def records_of(connection: Connection, users: Sequence[str], days: DayRange) -> pa.Table:
    """Return the stored records of subscribers on some days and in the trailing window before them.

    The server joins each subscriber's records to one text: the driver, which is written in Python, would take longer to
    decode their values one by one than the rest of a micro-batch takes.
    """
    window = days.preceded_by(TRAILING_DAYS - 1)
    joined = func.aggregate_strings(cast(_line(), LargeBinary), "\n")
    texts: list[tuple[str, bytes]] = []
    for first in range(0, len(users), AT_ONCE):
        some = cdr.c[Cdr.MSISDN].in_(users[first : first + AT_ONCE])
        statement = select(cdr.c[Cdr.MSISDN], joined).where(_within(window), some).group_by(cdr.c[Cdr.MSISDN])
        texts += [(user, text) for user, text in connection.execute(statement)]
    return _parsed(texts) if texts else RECORDS.empty_table()


def mark(records: pa.Table, days: pd.DataFrame) -> pa.Table:
    """Add the column `WANTED`: whether a record belongs to one of the subscriber-days (with the column id)."""
    ids = pc.binary_join_element_wise(records[Cdr.DATE].cast(pa.string()), records[Cdr.MSISDN], "/")
    return records.append_column(WANTED, pc.is_in(ids, pa.array(days[ID], pa.string())))


def _line() -> ColumnElement[str]:
    """Return a record's day and its values as text, separated by commas; NULL is empty."""
    values = [cdr.c[name] for name in JOINED if name != Cdr.DATE]
    return func.concat_ws(",", cast(cdr.c[Cdr.DATE], Date), *(func.ifnull(value, literal("")) for value in values))


def _parsed(texts: Sequence[tuple[str, bytes]]) -> pa.Table:
    """Return the records of the subscribers' texts."""
    users = np.repeat([user for user, _ in texts], [text.count(b"\n") + 1 for _, text in texts])
    types = {name: RECORDS.field(name).type for name in JOINED}
    table = csv.read_csv(
        BytesIO(b"\n".join(text for _, text in texts)),
        read_options=csv.ReadOptions(column_names=[*JOINED]),
        convert_options=csv.ConvertOptions(column_types=types, null_values=[""]),
    )
    named = table.append_column(Cdr.MSISDN, pa.array(users, pa.string()))
    return named.select(RECORDS.names)


def _within(days: DayRange) -> ColumnElement[bool]:
    stamp = cdr.c[Cdr.DATE]
    return (stamp >= naive_utc(days.start)) & (stamp < naive_utc(days.end))
