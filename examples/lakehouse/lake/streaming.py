"""Applies the topic's changes to the lake with Spark Structured Streaming, each once and in the source's order."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import start_http_server
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the usual name)
from pyspark.sql.streaming.query import StreamingQuery

from driftline import lineage
from examples.lakehouse.capture.change_events import (
    COMMITTED,
    DELETE,
    OPERATION,
    POSITION,
    BatchSummary,
    columns_of,
    is_later,
    newest_changes,
    read_changes,
    summary_of,
)
from examples.lakehouse.capture.connect import SINK
from examples.lakehouse.capture.pipeline_metrics import ICEBERG, PipelineMetrics, TopicPositions
from examples.lakehouse.lake.iceberg import DELETED, ORDERS, add_columns, create_tables, lake_session
from examples.lakehouse.lineage import STREAM, change_topic, lake_orders
from examples.lakehouse.shop.orders import TOPIC
from examples.object_store import StoredObjects, aws_variables
from examples.processes import LOOPBACK
from examples.spark_sessions import topic_messages

MOST_MESSAGES, EVERY, AGAIN_SECONDS = 5_000, "1 second", 2
"""Messages in one micro-batch, the time between two, and the time until a failed stream begins again."""
LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class OrdersSink:
    """Applies micro-batches; one that is repeated, or repeats changes, changes nothing.

    `kafka` and `objects` are the addresses of the brokers and of the object store.
    """

    metrics: PipelineMetrics
    kafka: str
    objects: str

    def apply(self, batch: DataFrame, number: int) -> None:
        """Merge what a micro-batch has but tombstones, which say nothing that the deletions before them do not."""
        begin = time.monotonic()
        if columns := columns_of(batch):
            changes = newest_changes(read_changes(batch, columns)).persist()
            try:
                with lineage.run(STREAM):
                    lineage.read(change_topic(self.kafka))
                    summary = apply_changes(changes, number)
                    lineage.wrote(lake_orders(self.objects, rows=summary.changes, version=summary.version))
                    lineage.note(micro_batch=number)
                self.metrics.applied(summary, time.monotonic() - begin)
            finally:
                changes.unpersist()


def apply_changes(changes: DataFrame, number: int) -> BatchSummary:
    """Merge the newest change of each order into the lake, unless its row is as new.

    The positions of deletions are stored first, so that an earlier change that comes late brings no row back.
    """
    summary = summary_of(changes)
    _describe_snapshots(changes.sparkSession, number, summary)
    add_columns(ORDERS, changes, OPERATION, COMMITTED)
    if DELETE in summary.operations:
        _store_deletions(changes)
    _merge(changes)
    return summary


def _describe_snapshots(spark: SparkSession, number: int, summary: BatchSummary) -> None:
    """Have the summaries of the snapshots to come name the micro-batch and its last position."""
    spark.conf.set("spark.sql.iceberg.snapshot-property.micro_batch", str(number))
    spark.conf.set("spark.sql.iceberg.snapshot-property.last_position", summary.version)


def _store_deletions(changes: DataFrame) -> None:
    changes.where(F.col(OPERATION) == DELETE).select("id", *POSITION).writeTo(DELETED).append()


def _merge(changes: DataFrame) -> None:
    """Delete, update and insert rows; changes that are not later than the row or its deletion are left out."""
    table = changes.sparkSession.table(ORDERS)
    absent = [
        F.lit(None).cast(field.dataType).alias(field.name)
        for field in table.schema
        if field.name not in changes.columns
    ]
    deleted = changes.sparkSession.table(DELETED).alias("deleted")
    is_outdated = (F.col("change.id") == F.col("deleted.id")) & is_later("deleted", "change")
    current = changes.select("*", *absent).alias("change").join(deleted, is_outdated, "left_anti")
    is_deletion = F.col(f"change.{OPERATION}") == DELETE
    writer = current.alias("change").mergeInto(ORDERS, F.col("change.id") == F.col("orders.id"))
    writer = writer.whenMatched(is_later("change", "orders") & is_deletion).delete()
    writer = writer.whenMatched(is_later("change", "orders")).updateAll()
    writer.whenNotMatched(~is_deletion).insertAll().merge()


def start_stream(spark: SparkSession, sink: OrdersSink, bootstrap_servers: str, checkpoint: str) -> StreamingQuery:
    """Start to apply the topic, from the position that the checkpoint has kept on."""
    messages = topic_messages(spark, bootstrap_servers, TOPIC, MOST_MESSAGES)
    writer = messages.writeStream.foreachBatch(sink.apply).option("checkpointLocation", checkpoint)
    return writer.trigger(processingTime=EVERY).start()


def main(arguments: Sequence[str] | None = None) -> int:
    """Apply changes until the process is stopped; after a failure of the database or the broker, begin again."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)
    metrics = PipelineMetrics(ICEBERG, TopicPositions(ICEBERG, options.kafka, TOPIC, f"connect-{SINK}"))
    start_http_server(options.metrics_port, LOOPBACK, metrics.registry)
    sink = OrdersSink(metrics, options.kafka, options.objects)
    objects, password = StoredObjects(options.objects, aws_variables(os.environ)), os.environ["LAKE_PASSWORD"]
    with (
        lineage.lineage_recorded(),
        lake_session("lake-stream", objects, options.catalogue_port, password) as spark,
    ):
        while True:
            try:
                create_tables(spark)
                query = start_stream(spark, sink, options.kafka, options.checkpoint)
                metrics.positions.query = query
                query.awaitTermination()
            except PySparkException as error:
                LOGGER.warning("The stream begins again after: %s", error)
                time.sleep(AGAIN_SECONDS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m examples.lakehouse.lake.streaming", description=__doc__)
    parser.add_argument("--objects", required=True, help="address of the object store: s3://BUCKET, or a folder")
    parser.add_argument("--catalogue-port", type=int, required=True, help="port of the database with the catalogue")
    parser.add_argument("--kafka", required=True, help="addresses of Kafka's brokers")
    parser.add_argument("--checkpoint", required=True, help="folder of the stream's position")
    parser.add_argument("--metrics-port", type=int, required=True, help="port of the metrics for Prometheus")
    return parser


if __name__ == "__main__":
    sys.exit(main())
