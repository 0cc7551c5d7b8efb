"""Writes the changes of a Kafka topic into both tables, with Spark Structured Streaming.

It may be killed at any time. A batch that was written only in part is written again, which changes nothing: rows have
keys, and the position of a change decides, not the time when it comes.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from examples.lakehouse.hudi.changes import KEY, Columns, change_rows, declared_columns, merged
from examples.lakehouse.hudi.tables import Table
from examples.spark_sessions import topic_messages


@dataclass(frozen=True)
class Source:
    """A topic of a broker, and the most messages of a batch."""

    kafka: str
    topic: str
    most: int


def write(
    spark: SparkSession, into: Sequence[Table], checkpoint: Path, source: Source, every: float | None = None
) -> None:
    """Write what the topic has after the checkpoint; with a number of seconds, go on in such steps until stopped."""
    stream = topic_messages(spark, source.kafka, source.topic, source.most).writeStream.foreachBatch(
        Writer(spark, into).write
    )
    stream = stream.option("checkpointLocation", checkpoint.absolute().as_uri())
    timed = stream.trigger(processingTime=f"{every} seconds") if every else stream.trigger(availableNow=True)
    timed.start().awaitTermination()


class Writer:
    """Writes batches of messages, and remembers the columns that were declared so far."""

    def __init__(self, spark: SparkSession, into: Sequence[Table]) -> None:
        """Read which columns the first table has: it is written first, so no other has more."""
        self._tables = into
        self._columns: Columns = into[0].columns(spark)

    def write(self, batch: DataFrame, number: int) -> None:
        """Write the changes of a batch into each table."""
        batch.persist()
        texts = batch.selectExpr("get_json_object(CAST(value AS STRING), '$.schema') AS text").distinct()
        declared = [declared_columns(row.text) for row in texts.where("text IS NOT NULL").collect()]
        if declared:
            self._columns = merged(self._columns, declared)
            self._write(change_rows(batch, self._columns), number)
        batch.unpersist()

    def _write(self, rows: DataFrame, number: int) -> None:
        rows.persist()
        for table in self._tables:
            table.upsert(rows)
        changes, orders = rows.count(), rows.select(KEY).distinct().count()
        rows.unpersist()
        sys.stdout.write(f"Batch {number}: {changes:,} changes of {orders:,} orders.\n")
        sys.stdout.flush()
