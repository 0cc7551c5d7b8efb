"""Writes the changes of a Kafka topic into both tables, with Spark Structured Streaming.

It may be killed at any time. A batch that was written only in part is written again, which changes nothing: rows have
keys, and the position of a change decides, not the time when it comes.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import start_http_server
from pyspark.sql import DataFrame, SparkSession

from examples.lakehouse.capture.change_events import (
    BatchSummary,
    Columns,
    columns_of,
    merged,
    newest_changes,
    read_changes,
    summary_of,
)
from examples.lakehouse.capture.pipeline_metrics import HUDI, PipelineMetrics, TopicPositions
from examples.lakehouse.hudi.changes import table_rows
from examples.lakehouse.hudi.tables import Table
from examples.processes import LOOPBACK
from examples.spark_sessions import topic_messages


@dataclass(frozen=True)
class Source:
    """A topic of a broker, and the most messages of a batch."""

    kafka: str
    topic: str
    most: int


@dataclass(frozen=True)
class Pace:
    """Seconds between two batches, None to end where the topic ends, and the port of the metrics, None for none."""

    every: float | None = None
    metrics_port: int | None = None


def write(spark: SparkSession, into: Sequence[Table], checkpoint: Path, source: Source, pace: Pace) -> None:
    """Write what the topic has after the checkpoint; with a number of seconds, go on in such steps until stopped."""
    metrics = served_metrics(source, pace.metrics_port)
    writer = Writer(spark, into, metrics)
    stream = topic_messages(spark, source.kafka, source.topic, source.most).writeStream.foreachBatch(writer.write)
    stream = stream.option("checkpointLocation", checkpoint.absolute().as_uri())
    timed = stream.trigger(processingTime=f"{pace.every} seconds") if pace.every else stream.trigger(availableNow=True)
    query = timed.start()
    if metrics:
        metrics.positions.query = query
    query.awaitTermination()


def served_metrics(source: Source, port: int | None) -> PipelineMetrics | None:
    """Serve the metrics of the job on a port and return them; without a port there are none, and no consumer."""
    if port is None:
        return None
    metrics = PipelineMetrics(HUDI, TopicPositions(HUDI, source.kafka, source.topic))
    start_http_server(port, LOOPBACK, metrics.registry)
    return metrics


class Writer:
    """Writes batches of messages, and remembers the columns that were declared so far."""

    def __init__(self, spark: SparkSession, into: Sequence[Table], metrics: PipelineMetrics | None) -> None:
        """Read which columns the first table has: it is written first, so no other has more."""
        self._tables = into
        self._metrics = metrics
        self._columns: Columns = into[0].columns(spark)

    def write(self, batch: DataFrame, number: int) -> None:
        """Write the changes of a batch into each table."""
        begin = time.monotonic()
        batch.persist()
        if declared := columns_of(batch):
            self._columns = merged(self._columns, [declared])
            summary = self._write(read_changes(batch, self._columns), number)
            if self._metrics:
                self._metrics.applied(summary, time.monotonic() - begin)
        batch.unpersist()

    def _write(self, changes: DataFrame, number: int) -> BatchSummary:
        changes.persist()
        for table in self._tables:
            table.upsert(table_rows(changes, self._columns))
        count, summary = changes.count(), summary_of(newest_changes(changes))
        changes.unpersist()
        sys.stdout.write(f"Batch {number}: {count:,} changes of {summary.changes:,} orders.\n")
        sys.stdout.flush()
        return summary
