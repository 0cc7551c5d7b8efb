"""Scores the days of the topic with Spark Structured Streaming; windows reach into earlier micro-batches."""

import logging
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the usual name)
from pyspark.sql.types import DateType, DoubleType, StructField, StructType

from driftline.client import Monitor
from examples.dse.features import FEATURES, LABEL, LONG
from examples.dse.model import THRESHOLD, IndexModel
from examples.dse.spark_features import NEXT_DATE, add_features, score
from examples.dse.topic_days import FIRST_DATE, LAST_DATE, LEFT_OUT, NUMBERS, TOPIC
from examples.dse.trading_calendar import TradingCalendar, closing
from examples.spark_sessions import topic_messages

LOGGER = logging.getLogger(__name__)
DAY_SCHEMA = StructType([StructField("date", DateType()), *(StructField(name, DoubleType()) for name in NUMBERS)])
MOST_DAYS = 250
"""Days in one micro-batch."""
EARLIER, EARLIER_BATCH = "before", -1
"""The folder of the days before the stream, and their number of a micro-batch."""


@dataclass(frozen=True)
class StreamScoring:
    """What a micro-batch needs: model, calendar, client of the monitor, and the folder of the days seen so far."""

    model: IndexModel
    calendar: TradingCalendar
    monitor: Monitor
    history: Path

    def score_messages(self, messages: DataFrame, number: int) -> None:
        """Score the days of a micro-batch of messages; log and leave out those that are not a day with a close."""
        day = F.from_json(F.col("value").cast("string"), DAY_SCHEMA, {"allowNonNumericNumbers": "false"})
        days = messages.select("offset", day.alias("day")).select("offset", "day.*")
        is_day = F.col("date").between(FIRST_DATE, LAST_DATE) & (F.col("close") > 0) & (F.col("close") < math.inf)
        is_valid = F.coalesce(is_day, F.lit(False))
        for row in days.where(~is_valid).orderBy("offset").collect():
            LOGGER.warning(LEFT_OUT, row["offset"], TOPIC)
        self.score_batch(days.where(is_valid).drop("offset"), number)

    def score_batch(self, batch: DataFrame, number: int) -> None:
        """Store the new days of a micro-batch, score them, and log predictions and the labels of the days before.

        The same batch again stores, predicts and labels the same; one without new days does nothing.

        Raises:
            RuntimeError: the monitor has not stored all of it; the stream begins again with this batch.
        """
        spark = batch.sparkSession
        earlier = self._earlier(spark, number)
        new = batch.dropDuplicates(["date"]).join(earlier, "date", "left_anti").withColumn("batch", F.lit(number))
        if new.isEmpty():
            return
        new.coalesce(1).write.mode("overwrite").parquet(str(self.history / f"{number:09d}"))
        stored = spark.read.parquet(str(self.history / f"{number:09d}"))
        recent = earlier.orderBy(F.desc("date")).limit(2 * LONG).unionByName(stored)
        rows = add_features(recent).withColumn("score", score(self.model)).orderBy("date").collect()
        self._log([row.asDict() for row in rows], number)

    def start(self, spark: SparkSession, days: pd.DataFrame) -> None:
        """Store the days before the stream, from which its first windows are computed."""
        rows = [
            (day["date"].date(), *(None if pd.isna(day[name]) else float(day[name]) for name in NUMBERS))
            for day in days.to_dict("records")
        ]
        frame = spark.createDataFrame(rows, DAY_SCHEMA).withColumn("batch", F.lit(EARLIER_BATCH))
        frame.coalesce(1).write.mode("overwrite").parquet(str(self.history / EARLIER))

    def _earlier(self, spark: SparkSession, number: int) -> DataFrame:
        """Return the days of the batches before this one; its own folder may be replaced meanwhile."""
        batches = (folder.name for folder in self.history.iterdir() if folder.name.isdigit())
        names = [EARLIER, *(name for name in batches if int(name) < number)]
        return spark.read.parquet(*(str(self.history / name) for name in names))

    def _log(self, rows: list[dict[str, Any]], number: int) -> None:
        new = {row["date"] for row in rows if row["batch"] == number}
        for row in rows:
            if row["date"] in new:
                self._predict(row)
            following = self.calendar.next_trading_day(row["date"])
            if row["batch"] > EARLIER_BATCH and row[NEXT_DATE] in new and following == row[NEXT_DATE]:
                self.monitor.log_labels({f"{row['date']}": int(row[LABEL])}, known_at=closing(row[NEXT_DATE]))
        if not self.monitor.flush(timeout=120) or self.monitor.status().refused_batches:
            raise RuntimeError(f"The monitor has not stored micro-batch {number}: {self.monitor.status()}.")

    def _predict(self, row: dict[str, Any]) -> None:
        """Log a prediction and print it."""
        prediction = int(row["score"] >= THRESHOLD)
        features = {name: row[name] for name in FEATURES}
        self.monitor.log(features, prediction, row["score"], id=f"{row['date']}", at=closing(row["date"]))
        expected = self.calendar.next_trading_day(row["date"])
        direction = "up" if prediction else "down"
        forecast = f"{expected}: {direction} ({row['score']:.2f} up)"
        sys.stdout.write(f"{row['date']} close {row['close']:>10,.2f}  {forecast}\n")


def score_stream(spark: SparkSession, scoring: StreamScoring, bootstrap_servers: str, checkpoint: Path) -> None:
    """Score all days that the topic has now, after those that the checkpoint has seen."""
    messages = topic_messages(spark, bootstrap_servers, TOPIC, MOST_DAYS)
    query = (
        messages.writeStream.foreachBatch(scoring.score_messages)
        .option("checkpointLocation", str(checkpoint))
        .trigger(availableNow=True)
        .start()
    )
    query.awaitTermination()
