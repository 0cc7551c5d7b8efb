"""The features of `features.add_features` as columns of Spark, and the model's score. No I/O here."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

from examples.dse.features import FEATURES, LABEL, LONG, MOMENTUM, SHORT
from examples.dse.model import IndexModel

NEXT_DATE = "next_date"


def add_features(days: DataFrame) -> DataFrame:
    """Return the days that have all features, with these, the next day and the label of those that have one.

    Nothing partitions the window: a few days in order are one partition.
    """
    ordered = Window.orderBy("date")
    close, volume, following = F.col("close"), F.col("volume"), F.lead("close").over(ordered)
    return days.select(
        "*",
        (close / _mean("close", SHORT) - 1).alias("to_sma_5"),
        (close / _mean("close", LONG) - 1).alias("to_sma_20"),
        (close / F.lag("close", MOMENTUM).over(ordered) - 1).alias("momentum_5"),
        (volume / F.nullif(_mean("volume", LONG), F.lit(0.0)) - 1).alias("volume_to_sma_20"),
        F.lead("date").over(ordered).alias(NEXT_DATE),
        (following > close).cast("double").alias(LABEL),
    ).where(F.col("to_sma_20").isNotNull())


def score(model: IndexModel) -> Column:
    """Return the probability that the index rises on the next trading day."""
    logit = F.lit(model.intercept)
    for name, mean, scale, weight in zip(FEATURES, model.means, model.scales, model.weights, strict=True):
        logit = logit + F.lit(weight) * (F.coalesce(F.col(name), F.lit(mean)) - F.lit(mean)) / F.lit(scale)
    return 1 / (1 + F.exp(-logit))


def _mean(column: str, length: int) -> Column:
    """Return the mean of a day and those before it; null before there are enough of them."""
    window = Window.orderBy("date").rowsBetween(1 - length, 0)
    return F.when(F.count(column).over(window) == length, F.avg(column).over(window))
