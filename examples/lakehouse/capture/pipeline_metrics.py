"""What a sink reports to Prometheus: rows, seconds and lag, and how far it and the copy are behind the topic."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaException, TopicPartition
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from pyspark.sql.streaming.query import StreamingQuery

from examples.lakehouse.capture.change_events import BatchSummary

ICEBERG, HUDI, COPY = "iceberg", "hudi", "copy"
"""The names of the sinks: the lake, the Hudi tables, and the copy that Connect writes."""
KAFKA_SECONDS = 5.0


class PipelineMetrics:
    """The metrics of a sink's stream, and of the topic's consumers at each scrape."""

    def __init__(self, sink: str, positions: "TopicPositions") -> None:
        self.registry = CollectorRegistry()
        self._sink = sink
        self._batches = self._counter("batches", "Micro-batches with changes.")
        self._changes = self._counter("changes", "Changes that were applied, the last one of each order.", "operation")
        self._seconds = self._gauge("batch_seconds", "Seconds of the last micro-batch.")
        self._rows = self._gauge("batch_rows", "Orders that the last micro-batch changed.")
        self._lag = self._gauge("lag_seconds", "Age of the newest applied change, when it was applied.")
        self._position = self._gauge("source_position", "Position of the newest applied change in its file.")
        self.positions = positions
        self.registry.register(positions)

    def applied(self, batch: BatchSummary, seconds: float) -> None:
        """Report a micro-batch."""
        self._batches.labels(self._sink).inc()
        for operation, number in batch.operations.items():
            self._changes.labels(self._sink, operation).inc(number)
        self._seconds.labels(self._sink).set(seconds)
        self._rows.labels(self._sink).set(batch.changes)
        self._lag.labels(self._sink).set((datetime.now(UTC) - batch.committed_at).total_seconds())
        self._position.labels(self._sink).set(batch.position)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"lakehouse_{name}", text, ("sink", *labels), registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"lakehouse_{name}", text, ("sink",), registry=self.registry)


class TopicPositions(Collector):
    """How many messages of a topic the sinks have applied, and have not; a sink of which that is unknown is left out.

    `query` is the sink's stream, which says so itself; of the copy Kafka knows it by the group of its consumer.
    """

    def __init__(self, sink: str, bootstrap_servers: str, topic: str, copy_group: str = "") -> None:
        self.query: StreamingQuery | None = None
        self._sink, self._topic, self._copy_group = sink, topic, copy_group
        settings = {"bootstrap.servers": bootstrap_servers, "group.id": copy_group or sink, "log_level": 2}
        self._consumer = Consumer(settings)  # it subscribes to nothing, so that it is no member of the group
        self._applied: int | None = None

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield both numbers; nothing while the broker does not answer."""
        partition = TopicPartition(self._topic, 0)
        applied = {self._sink: self._applied_by_query()}
        try:
            _, end = self._consumer.get_watermark_offsets(partition, KAFKA_SECONDS)
            if self._copy_group:
                (committed,) = self._consumer.committed([partition], KAFKA_SECONDS)
                applied[COPY] = max(committed.offset, 0)
        except KafkaException:
            return
        positions = {sink: number for sink, number in applied.items() if number is not None}
        yield _family("applied_messages", "Messages of the topic that are applied.", positions)
        behind = {sink: end - number for sink, number in positions.items()}
        yield _family("messages_behind", "Messages of the topic that are not applied.", behind)

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield nothing, so that the registration asks no broker."""
        return iter(())

    def _applied_by_query(self) -> int | None:
        """Return the offset after the last micro-batch, also that of an earlier process; None if none is known yet."""
        progress = self.query.lastProgress if self.query else None
        if progress and (offsets := progress["sources"][0]["endOffset"]):
            by_topic = json.loads(offsets) if isinstance(offsets, str) else offsets
            self._applied = int(by_topic[self._topic]["0"])
        return self._applied


def _family(name: str, text: str, values: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"lakehouse_{name}", text, labels=["sink"])
    for sink, value in values.items():
        family.add_metric([sink], value)
    return family
