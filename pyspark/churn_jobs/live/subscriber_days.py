"""Subscriber-days: which are complete, which have no prediction yet, and their records of the trailing days."""

from collections.abc import Iterator, Sequence

import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, select
from sqlalchemy.sql.elements import ColumnElement

from churn.columns import TRAILING_DAYS, USAGE_OF_CDR, Cdr, Processed, prediction_id
from churn.tables import cdr, churn_predictions
from churn_jobs.days import DayRange
from churn_jobs.prepared.features import SOURCES
from driftline.clock import aware_utc, naive_utc
from driftline.engine.results import ID

AT_ONCE = 2_000
"""Subscribers, or ids, of one statement."""
RECORDS = pa.schema(
    [
        (Cdr.DATE, pa.timestamp("us", "UTC")),
        (Cdr.MSISDN, pa.string()),
        *((source, pa.int64()) for source in USAGE_OF_CDR.values()),
        (Cdr.PSEUDO_CHURNED, pa.int16()),
    ]
)


def without_prediction(connection: Connection, days: pd.DataFrame) -> pd.DataFrame:
    """Return the subscriber-days (columns Date and User) that have no prediction yet, with their prediction's id."""
    pairs = zip(days[Processed.DATE], days[Processed.USER], strict=True)
    named = days.assign(**{ID: [prediction_id(day.isoformat(), user) for day, user in pairs]})
    stored: set[str] = set()
    for ids in _slices(named[ID].tolist()):
        stored.update(
            connection.execute(select(churn_predictions.c[ID]).where(churn_predictions.c[ID].in_(ids))).scalars()
        )
    return named[~named[ID].isin(stored)]


def records_of(connection: Connection, users: Sequence[str], days: DayRange) -> pa.Table:
    """Return the stored records of subscribers on some days and in the trailing window before them."""
    window = days.preceded_by(TRAILING_DAYS - 1)
    columns = [cdr.c[name] for name in SOURCES]
    rows = []
    for slice_ in _slices(users):
        statement = select(*columns).where(_within(window), cdr.c[Cdr.MSISDN].in_(slice_))
        rows += [(aware_utc(row[0]), *row[1:]) for row in connection.execute(statement)]
    values = zip(*rows, strict=True) if rows else ([] for _ in SOURCES)
    return pa.table([pa.array(column, field.type) for column, field in zip(values, RECORDS, strict=True)], RECORDS)


def _within(days: DayRange) -> ColumnElement[bool]:
    stamp = cdr.c[Cdr.DATE]
    return (stamp >= naive_utc(days.start)) & (stamp < naive_utc(days.end))


def _slices(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE))
