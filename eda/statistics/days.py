"""Records, subscribers, totals, churn and missing values of each day. No I/O here.

An undefined value is NaN in these frames: a total of no values, a share of no records.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import pandas as pd

from churn.columns import CDR_USAGE, Cdr
from driftline.errors import SchemaMismatch
from eda.quantities import VARIABLES
from eda.span import DaySpan

SETTLED_SHARE = 0.95
"""A day's labels are settled when this share of its subscribers has one; before that, labels are biased to churn."""


class DayCount(StrEnum):
    """Counts of a day."""

    RECORDS = "records"
    SUBSCRIBERS = "subscribers"
    LABELLED = "labelled"
    CHURNED = "churned"


@dataclass(frozen=True)
class DailyCounts:
    """One row per day of the span, days without records included.

    `counts` has the columns of `DayCount` (subscribers, labelled and churned count distinct subscribers); `totals` has
    the sum of each usage column over its values (seconds, bytes, NaN where there is none); `missing` has the number
    of NULLs of each of `VARIABLES`. The index is the day, as naive UTC midnight.
    """

    counts: pd.DataFrame
    totals: pd.DataFrame
    missing: pd.DataFrame

    @property
    def records(self) -> int:
        """The number of records."""
        return int(self.counts[DayCount.RECORDS].sum())

    @property
    def empty_days(self) -> pd.DatetimeIndex:
        """The days without records."""
        return pd.DatetimeIndex(self.counts.index[self.counts[DayCount.RECORDS] == 0])

    @property
    def settled(self) -> pd.Series:
        """Whether each day has records and the labels of at least `SETTLED_SHARE` of its subscribers."""
        subscribers = self.counts[DayCount.SUBSCRIBERS]
        return (subscribers > 0) & (self.counts[DayCount.LABELLED] >= SETTLED_SHARE * subscribers)

    @property
    def settled_days(self) -> pd.DatetimeIndex:
        """The days that are settled."""
        return pd.DatetimeIndex(self.counts.index[self.settled])

    @property
    def labelled_share(self) -> pd.Series:
        """The share of each day's subscribers who have a label; NaN on a day without records."""
        return _divided(self.counts[DayCount.LABELLED], self.counts[DayCount.SUBSCRIBERS])

    @property
    def churn_rate(self) -> pd.Series:
        """The share of PSEUDO_CHURNED = 1 among each day's labels; NaN until the day is settled."""
        return _divided(self.counts[DayCount.CHURNED], self.counts[DayCount.LABELLED]).where(self.settled)

    @property
    def missing_share(self) -> pd.DataFrame:
        """The share of NULLs per day and column; NaN on a day without records."""
        records = self.counts[DayCount.RECORDS]
        return self.missing.div(records.where(records > 0), axis=0)

    @property
    def means(self) -> pd.DataFrame:
        """The mean of each usage column per record that has a value, per day; NaN where there is none."""
        present = self.missing[list(CDR_USAGE)].rsub(self.counts[DayCount.RECORDS], axis=0)
        means: pd.DataFrame = self.totals / present.where(present > 0)
        return means

    def overall_churn_rate(self) -> float | None:
        """Return the churn rate over the subscriber-days of all settled days, or None if none is settled."""
        counts = self.counts[self.settled]
        labelled = counts[DayCount.LABELLED].sum()
        return float(counts[DayCount.CHURNED].sum() / labelled) if labelled else None


def total_name(column: Cdr) -> str:
    """Return the name of the column with the sum of a usage column."""
    return f"total_{column}"


def missing_name(column: Cdr) -> str:
    """Return the name of the column with the number of NULLs of a column."""
    return f"missing_{column}"


DAY = "day"
ROW_COLUMNS: tuple[str, ...] = (
    DAY,
    *DayCount,
    *(total_name(column) for column in CDR_USAGE),
    *(missing_name(column) for column in VARIABLES),
)


def from_rows(rows: pd.DataFrame, span: DaySpan) -> DailyCounts:
    """Return the days of a span from one row per day that has records.

    `rows` has `ROW_COLUMNS`: the day (date), counts, and totals that may be None.

    Raises:
        SchemaMismatch: a column is missing.
    """
    absent = tuple(name for name in ROW_COLUMNS if name not in rows)
    if absent:
        raise SchemaMismatch.of(absent, tuple(map(str, rows.columns)))
    calendar = pd.date_range(span.first, span.last, freq="D", name=DAY)
    by_day = rows.set_index(pd.DatetimeIndex(rows[DAY])).reindex(calendar)
    return DailyCounts(
        _part(by_day, tuple(DayCount), tuple(DayCount)).fillna(0).astype("int64"),
        _part(by_day, tuple(map(total_name, CDR_USAGE)), CDR_USAGE).astype("float64"),
        _part(by_day, tuple(map(missing_name, VARIABLES)), VARIABLES).fillna(0).astype("int64"),
    )


def _part(frame: pd.DataFrame, columns: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    numbers: pd.DataFrame = frame.loc[:, list(columns)].apply(pd.to_numeric)
    return numbers.set_axis([str(name) for name in names], axis=1)


def _divided(part: pd.Series, total: pd.Series) -> pd.Series:
    return part / total.where(total > 0)
