"""Publishing with kafka-python: no native library; chosen by `KAFKA_PUBLISHER=kafka-python`."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from driftline.errors import KafkaUnavailable
from flaskapp.publisher import OPEN_SECONDS, PROBE_SECONDS, TRANSACTION_SECONDS, Publication, Route, require_topics


@contextmanager
def translated() -> Iterator[None]:
    """Turn the library's errors into Driftline's."""
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise KafkaUnavailable from error


class KafkaPythonPublisher:
    """The `Publisher` of kafka-python."""

    def __init__(self, route: Route) -> None:
        """Take the route; nothing is connected."""
        self.route = route
        self._producer: KafkaProducer | None = None

    def probe(self) -> None:
        """Check that the broker answers and has the topics."""
        _require_listening(self.route.bootstrap_servers)
        with translated(), self._consumer(PROBE_SECONDS) as consumer:
            present = consumer.topics()
        require_topics(self.route.topics, present)

    @contextmanager
    def _consumer(self, seconds: float) -> Iterator[KafkaConsumer]:
        consumer = KafkaConsumer(
            bootstrap_servers=self.route.bootstrap_servers,
            isolation_level="read_committed",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            bootstrap_timeout_ms=round(1000 * seconds),
        )
        try:
            yield consumer
        finally:
            consumer.close()

    def open(self) -> None:
        """Fence the predecessor."""
        self.close()
        self.probe()
        with translated():
            producer = KafkaProducer(
                bootstrap_servers=self.route.bootstrap_servers,
                transactional_id=self.route.transactional_id,
                transaction_timeout_ms=round(1000 * TRANSACTION_SECONDS),
                linger_ms=20,
                batch_size=262_144,
                max_block_ms=round(1000 * OPEN_SECONDS),
            )
            self._producer = producer
            producer.init_transactions()

    def markers(self) -> frozenset[str]:
        """Read the markers' topic from its beginning to its end."""
        with translated(), self._consumer(OPEN_SECONDS) as consumer:
            topic = self.route.batches_topic
            partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
            consumer.assign(partitions)
            return frozenset(_read_all(consumer, partitions))

    def publish(self, publications: Sequence[Publication]) -> None:
        """Send batches and their markers in one transaction."""
        if self._producer is None:
            raise KafkaUnavailable("The relay's producer is not open.")
        _require_listening(self.route.bootstrap_servers)
        with translated():
            self._producer.begin_transaction()
            for publication in publications:
                self._send(self._producer, publication)
            self._producer.commit_transaction()

    def _send(self, producer: KafkaProducer, publication: Publication) -> None:
        for key, value in publication.records:
            producer.send(self.route.records_topic, value, key)
        producer.send(self.route.batches_topic, publication.marker.encode(), publication.batch_id.encode())

    def close(self) -> None:
        """Drop the producer; a transaction under way is ended by the next `open`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=0)


def _read_all(consumer: KafkaConsumer, partitions: list[TopicPartition]) -> Iterator[str]:
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    deadline = time.monotonic() + OPEN_SECONDS
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        read = consumer.poll(timeout_ms=500, max_records=10_000)
        if not read and time.monotonic() > deadline:
            raise KafkaUnavailable("Kafka did not give the markers to the relay in time; it tries again.")
        for messages in read.values():
            yield from (message.key.decode() for message in messages)


def _require_listening(bootstrap_servers: str) -> None:
    """Check that one of the brokers takes a connection: the library would leave its refused sockets open."""
    refused: OSError | None = None
    for address in bootstrap_servers.split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            socket.create_connection((host, int(port)), PROBE_SECONDS).close()
        except OSError as error:
            refused = error
        else:
            return
    raise KafkaUnavailable from refused
