"""From records to features, as native expressions: frames in, frames out. No I/O here.

A day without a record is a day without usage: it counts as 0. A day with a record whose value is NULL is unknown: it is
left out of the column's trailing sum, mean and standard deviation.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812  # its users' own name for it

from churn_jobs.days import DayRange
from driftline.columns import CDR_USAGE, FEATURES, TRAILING_DAYS, USAGE, USAGE_OF_CDR, Cdr, Processed, trailing

PREPARED: tuple[str, ...] = (Processed.DATE, Processed.USER, *FEATURES, Processed.LABEL)
"""The columns of a prepared row."""
SOURCES: tuple[str, ...] = (Cdr.DATE, Cdr.MSISDN, *USAGE_OF_CDR.values(), Cdr.PSEUDO_CHURNED)
"""The columns of a record that preparing reads."""


def prepare(records: DataFrame, days: DayRange) -> DataFrame:
    """Turn records (columns `SOURCES`) into the `PREPARED` rows of `days`.

    `records` begin `TRAILING_DAYS` - 1 days before; earlier days without any record count as days without usage.
    """
    rows = with_trailing(daily(clean(records)))
    return rows.where(F.col(Processed.DATE).between(F.lit(days.first), F.lit(days.last))).select(*PREPARED)


def clean(records: DataFrame) -> DataFrame:
    """Make negative usage unknown: no such usage exists, yet a server that ignores CHECK lets it in."""
    usage = [name for name in CDR_USAGE if name in records.columns]
    return records.withColumns({name: F.when(F.col(name) >= 0, F.col(name)) for name in usage})


def daily(records: DataFrame) -> DataFrame:
    """Sum a subscriber's records of a day: NULL only where every value is NULL; the label is the highest known one."""
    sums = [F.sum(source).alias(target) for target, source in USAGE_OF_CDR.items()]
    label = F.max(Cdr.PSEUDO_CHURNED).cast("short").alias(Processed.LABEL)
    day, user = F.to_date(Cdr.DATE).alias(Processed.DATE), F.col(Cdr.MSISDN).alias(Processed.USER)
    return records.groupBy(day, user).agg(*sums, label)


def with_trailing(days: DataFrame) -> DataFrame:
    """Add each subscriber's trailing features over the last `TRAILING_DAYS` calendar days, the day itself included."""
    day_number = F.unix_date(Processed.DATE)
    window = Window.partitionBy(Processed.USER).orderBy(day_number).rangeBetween(1 - TRAILING_DAYS, 0)
    seen = F.count(F.lit(1)).over(window)
    columns = {Processed.DAYS_SEEN.value: seen}
    for name in USAGE:
        value = F.col(name)
        parts = (F.count(value).over(window), F.sum(value).over(window), F.var_pop(value).over(window))
        columns |= _statistics(name, seen, *parts)
    return days.withColumns(columns)


def _statistics(name: str, seen: Column, known: Column, total: Column, variance: Column) -> dict[str, Column]:
    """Join the known values with the zeros of the days without a record (Chan's rule for two groups).

    The standard deviation is the sample's (n - 1), NULL where fewer than two days are known.
    """
    zeros = F.lit(TRAILING_DAYS) - seen
    days = F.nullif(known + zeros, F.lit(0))
    value = F.coalesce(total.cast("double"), F.lit(0.0))
    own_mean = F.coalesce(total.cast("double") / F.nullif(known, F.lit(0)), F.lit(0.0))
    squares = F.coalesce(variance, F.lit(0.0)) * known + own_mean * own_mean * known * zeros / days
    return {
        trailing(name, "sum"): F.when(days > 0, value),
        trailing(name, "mean"): value / days,
        trailing(name, "std"): F.sqrt(squares / F.nullif(days - 1, F.lit(0))),
    }
