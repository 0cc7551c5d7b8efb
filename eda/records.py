"""Reads `DP_CDR_Data`: its available days, aggregates by day, and its rows as a stream of chunks."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, and_, case, distinct, func, select
from sqlalchemy.sql.elements import ColumnElement

from churn.columns import CDR_USAGE
from churn.tables import cdr
from driftline.errors import NotFound
from eda.quantities import VARIABLES
from eda.span import DaySpan
from eda.statistics.days import DAY, DayCount, missing_name, total_name
from eda.statistics.profile import DAY_NUMBER
from eda.statistics.sample import DRAW, KEY, draws

CHUNK_ROWS = 50_000
TO_DAYS_LESS_ORDINAL = 365
"""MySQL's TO_DAYS counts from the year 0, `date.toordinal` from the year 1."""

Progress = Callable[[int], None]


def available_span(connection: Connection) -> DaySpan:
    """Return the days from the first record to the last.

    Raises:
        NotFound: there are no records.
    """
    first, last = connection.execute(select(func.min(cdr.c.DP_DATE), func.max(cdr.c.DP_DATE))).one()
    if first is None:
        raise NotFound("DP_CDR_Data holds no records; load a history or start a stream first.")
    return DaySpan(first.date(), last.date())


def count_subscribers(connection: Connection, span: DaySpan) -> int:
    """Count the distinct subscribers of a span."""
    query = select(func.count(distinct(cdr.c.DP_MSISDN))).where(_within(span))
    return int(connection.execute(query).scalar_one())


def day_rows(connection: Connection, span: DaySpan) -> pd.DataFrame:
    """Aggregate each day that has records, in the database: `ROW_COLUMNS` of `eda.statistics.days`, in day order."""
    day: ColumnElement[date] = func.date(cdr.c.DP_DATE)
    label, subscriber = cdr.c.PSEUDO_CHURNED, cdr.c.DP_MSISDN
    columns: dict[str, ColumnElement[Any]] = {
        DAY: day,
        DayCount.RECORDS: func.count(),
        DayCount.SUBSCRIBERS: func.count(distinct(subscriber)),
        DayCount.LABELLED: func.count(distinct(case((label.is_not(None), subscriber)))),
        DayCount.CHURNED: func.count(distinct(case((label == 1, subscriber)))),
        **{total_name(column): func.sum(cdr.c[column]) for column in CDR_USAGE},
        **{missing_name(column): func.count() - func.count(cdr.c[column]) for column in VARIABLES},
    }
    named = [expression.label(str(name)) for name, expression in columns.items()]
    rows = connection.execute(select(*named).where(_within(span)).group_by(day).order_by(day)).all()
    return pd.DataFrame(rows, columns=list(map(str, columns)))


def chunks(connection: Connection, span: DaySpan, progress: Progress) -> Iterator[pd.DataFrame]:
    """Stream the span's records in key order, at most `CHUNK_ROWS` at once, as `eda.statistics.profile` takes them.

    After each chunk, `progress` is called with the number of records so far.
    """
    keys = [cdr.c[column] for column in KEY]
    values = [cdr.c[column] for column in VARIABLES]
    query = select(*keys, func.to_days(cdr.c.DP_DATE), *values).where(_within(span)).order_by(*cdr.primary_key)
    streaming = connection.execution_options(stream_results=True, max_row_buffer=CHUNK_ROWS)
    rows_read = 0
    with streaming.execute(query) as result:
        for rows in result.partitions(CHUNK_ROWS):
            yield _frame([tuple(row) for row in rows])
            rows_read += len(rows)
            progress(rows_read)


def _within(span: DaySpan) -> ColumnElement[bool]:
    return and_(span.start <= cdr.c.DP_DATE, span.end > cdr.c.DP_DATE)


def _frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    fields = list(zip(*rows, strict=True))
    keys = pd.DataFrame({str(name): fields[place] for place, name in enumerate(KEY)})
    values = np.array(fields[len(KEY) + 1 :], dtype=np.float64).T
    numbers = np.array(fields[len(KEY)], dtype=np.int64) - TO_DAYS_LESS_ORDINAL
    frame = pd.DataFrame(values, columns=list(map(str, VARIABLES)))
    frame[DAY_NUMBER], frame[DRAW] = numbers, draws(keys)
    return frame
