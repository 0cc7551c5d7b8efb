"""What the pipeline reports to Prometheus: rows, seconds and lag, and how far each sink is behind the topic."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from confluent_kafka import Consumer, KafkaException, TopicPartition
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from examples.lakehouse.connect import SINK
from examples.lakehouse.orders import TOPIC

ICEBERG, COPY = "iceberg", "copy"
"""The names of the sinks: the lake, and the copy that Connect writes."""
KAFKA_SECONDS = 5.0


@dataclass(frozen=True)
class BatchSummary:
    """A micro-batch: changes by operation, and position and time of the newest one in the source."""

    operations: Mapping[str, int]
    file: str
    position: int
    committed_at: datetime

    @property
    def changes(self) -> int:
        """How many orders it changes."""
        return sum(self.operations.values())


class PipelineMetrics:
    """The metrics of the stream, and of the topic's consumers at each scrape."""

    def __init__(self, bootstrap_servers: str) -> None:
        self.registry = CollectorRegistry()
        self._batches = self._counter("batches", "Micro-batches with changes.")
        self._changes = Counter(
            "lakehouse_changes", "Changes that were applied.", ("sink", "operation"), registry=self.registry
        )
        self._seconds = self._gauge("batch_seconds", "Seconds of the last micro-batch.")
        self._rows = self._gauge("batch_rows", "Orders that the last micro-batch changed.")
        self._lag = self._gauge("lag_seconds", "Age of the newest applied change, when it was applied.")
        self._position = self._gauge("source_position", "Position of the newest applied change in its file.")
        self.behind = MessagesBehind(bootstrap_servers)
        self.registry.register(self.behind)

    def applied(self, batch: BatchSummary, seconds: float) -> None:
        """Report a micro-batch of the lake."""
        self._batches.labels(ICEBERG).inc()
        for operation, number in batch.operations.items():
            self._changes.labels(ICEBERG, operation).inc(number)
        self._seconds.labels(ICEBERG).set(seconds)
        self._rows.labels(ICEBERG).set(batch.changes)
        self._lag.labels(ICEBERG).set((datetime.now(UTC) - batch.committed_at).total_seconds())
        self._position.labels(ICEBERG).set(batch.position)

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"lakehouse_{name}", text, ("sink",), registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"lakehouse_{name}", text, ("sink",), registry=self.registry)


class MessagesBehind(Collector):
    """How many messages of the topic each sink has not applied; the stream sets `applied`, Kafka knows the copy."""

    def __init__(self, bootstrap_servers: str) -> None:
        self.applied = 0
        self._settings = {"bootstrap.servers": bootstrap_servers, "group.id": f"connect-{SINK}", "log_level": 3}

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield both numbers; nothing while the broker does not answer."""
        behind = GaugeMetricFamily(
            "lakehouse_messages_behind", "Messages of the topic that are not applied.", labels=["sink"]
        )
        consumer = Consumer(self._settings)
        partition = TopicPartition(TOPIC, 0)
        try:
            _, end = consumer.get_watermark_offsets(partition, KAFKA_SECONDS)
            (committed,) = consumer.committed([partition], KAFKA_SECONDS)
        except KafkaException:
            return
        finally:
            consumer.close()
        behind.add_metric([ICEBERG], end - self.applied)
        behind.add_metric([COPY], end - max(committed.offset, 0))
        yield behind

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield nothing, so that the registration asks no broker."""
        return iter(())
