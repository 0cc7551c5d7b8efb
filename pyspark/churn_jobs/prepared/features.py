"""From records to features, as native expressions: frames in, frames out. No I/O here.

A day without a record is a day without usage: it counts as 0. A day with a record whose value is NULL is unknown: it is
left out of the column's trailing sum, mean and standard deviation.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812  # its users' own name for it

from churn.columns import CDR_USAGE, FEATURES, TRAILING_DAYS, USAGE, USAGE_OF_CDR, Cdr, Processed, trailing
from churn_jobs.days import DayRange

PREPARED: tuple[str, ...] = (Processed.DATE, Processed.USER, *FEATURES, Processed.LABEL)
"""The columns of a prepared row."""
SOURCES: tuple[str, ...] = (Cdr.DATE, Cdr.MSISDN, *USAGE_OF_CDR.values(), Cdr.PSEUDO_CHURNED)
"""The columns of a record that preparing reads."""


def prepare(records: DataFrame, days: DayRange) -> DataFrame:
    """Turn records (columns `SOURCES`) into the `PREPARED` rows of `days`.

    `records` begin `TRAILING_DAYS` - 1 days before `days`; days without a record count as days without usage.
    """
    rows = with_trailing(daily(clean(records)))
    return rows.where(F.col(Processed.DATE).between(F.lit(days.first), F.lit(days.last))).select(*PREPARED)


def clean(records: DataFrame) -> DataFrame:
    """Replace negative usage by NULL: it is invalid, but a server that ignores CHECK constraints stores it."""
    usage = [name for name in CDR_USAGE if name in records.columns]
    return records.withColumns({name: F.when(F.col(name) >= 0, F.col(name)) for name in usage})


def daily(records: DataFrame, flags: Sequence[str] = ()) -> DataFrame:
    """Sum a subscriber's records of a day: NULL only where every value is NULL; the label is the highest known one.

    Each of `flags` is a column that is true for the day if it is true for a record.
    """
    sums = [F.sum(source).alias(target) for target, source in USAGE_OF_CDR.items()]
    label = F.max(Cdr.PSEUDO_CHURNED).cast("short").alias(Processed.LABEL)
    day, user = F.to_date(Cdr.DATE).alias(Processed.DATE), F.col(Cdr.MSISDN).alias(Processed.USER)
    return records.groupBy(day, user).agg(*sums, label, *(F.max(name).alias(name) for name in flags))


def with_trailing(days: DataFrame) -> DataFrame:
    """Add each subscriber's trailing features over the last `TRAILING_DAYS` calendar days, the day itself included."""
    window = Window.partitionBy(Processed.USER).orderBy(F.unix_date(Processed.DATE)).rangeBetween(1 - TRAILING_DAYS, 0)
    recent = days.withColumn("recent", F.collect_list(F.struct(*USAGE)).over(window))
    counted = recent.withColumn(Processed.DAYS_SEEN, F.size("recent").cast("long"))
    with_values = counted.withColumns({f"known_{name}": _known_values(name) for name in USAGE})
    summed = with_values.withColumns({column: value for name in USAGE for column, value in _sums(name).items()})
    return summed.withColumns({trailing(name, "std"): _std(name) for name in USAGE})


def _known_values(name: str) -> Column:
    """Return the column's known values in the window's records, as doubles."""
    values = F.transform("recent", lambda day: day[name].cast("double"))
    return F.filter(values, lambda value: value.isNotNull())


def _zeros() -> Column:
    """Return the number of days without a record."""
    return F.lit(TRAILING_DAYS) - F.col(Processed.DAYS_SEEN)


def _known_days(name: str) -> Column:
    return F.size(f"known_{name}") + _zeros()


def _sums(name: str) -> dict[str, Column]:
    """Return the sum and the mean; NULL where no day is known."""
    total = F.aggregate(f"known_{name}", F.lit(0.0), lambda sofar, value: sofar + value)
    days = F.nullif(_known_days(name), F.lit(0))
    return {trailing(name, "sum"): F.when(days.isNotNull(), total), trailing(name, "mean"): total / days}


def _std(name: str) -> Column:
    """Return the sample standard deviation (n - 1), from the differences to the mean; NULL below two known days."""
    mean = F.col(trailing(name, "mean"))
    squares = F.aggregate(f"known_{name}", F.lit(0.0), lambda sofar, value: sofar + (value - mean) * (value - mean))
    return F.sqrt((squares + _zeros() * mean * mean) / F.nullif(_known_days(name) - 1, F.lit(0)))
