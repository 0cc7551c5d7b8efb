"""The publisher that uses kafka-python, without a native library; `KAFKA_PUBLISHER=kafka-python` selects it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError

from driftline.errors import KafkaRefused, KafkaUnavailable
from driftline.kafka import AUTHENTICATION_FAILED, kafka_python_options, require_listening, require_trust
from driftline.publishing.publisher import (
    COMPRESSION,
    OPEN_SECONDS,
    PROBE_SECONDS,
    TRANSACTION_SECONDS,
    Publication,
    Route,
    require_topics,
)


@contextmanager
def translated() -> Iterator[None]:
    """Translate the library's errors into Driftline's."""
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise KafkaUnavailable from error


class KafkaPythonPublisher:
    """The `BatchPublisher` of kafka-python."""

    def __init__(self, route: Route) -> None:
        """Store the route; nothing is connected."""
        self.route = route
        self._producer: KafkaProducer | None = None

    def probe(self) -> None:
        """Check that the broker answers and has the topics."""
        require_listening(self.route.kafka)
        try:
            with self._consumer(PROBE_SECONDS) as consumer:
                present = consumer.topics()
        except (KafkaError, TimeoutError) as error:
            require_trust(self.route.kafka)
            raise self._unavailable() from error
        require_topics(self.route.topics, present)

    def _unavailable(self) -> KafkaUnavailable:
        """Return the error for a broker that listens but does not answer; the library has none for a wrong password."""
        return (
            KafkaRefused(AUTHENTICATION_FAILED)
            if self.route.kafka.security_protocol.uses_password
            else KafkaUnavailable()
        )

    @contextmanager
    def _consumer(self, seconds: float, isolation: str = "read_committed") -> Iterator[KafkaConsumer]:
        """Open a consumer, of committed messages by default, and close it afterwards."""
        consumer = KafkaConsumer(
            **kafka_python_options(self.route.kafka),
            isolation_level=isolation,
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
                **kafka_python_options(self.route.kafka),
                transactional_id=self.route.transactional_id,
                transaction_timeout_ms=round(1000 * TRANSACTION_SECONDS),
                linger_ms=20,
                compression_type=COMPRESSION,
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
            with self._consumer(OPEN_SECONDS, "read_uncommitted") as uncommitted:
                ends = uncommitted.end_offsets(partitions)
            consumer.assign(partitions)
            return frozenset(_read_all(consumer, ends))

    def publish(self, publications: Sequence[Publication]) -> None:
        """Publish batches and their markers in one transaction."""
        if self._producer is None:
            raise KafkaUnavailable("The relay's producer is not open.")
        require_listening(self.route.kafka)
        with translated():
            self._producer.begin_transaction()
            for publication in publications:
                self._send(self._producer, publication)
            self._producer.commit_transaction()

    def _send(self, producer: KafkaProducer, publication: Publication) -> None:
        topic, marker_topic = self.route.records_topic, self.route.marker_topic(publication)
        with publication.sending(topic) as headers:
            for key, value in publication.records:
                producer.send(topic, value, key, headers=headers)
            producer.send(marker_topic, publication.marker.encode(), publication.batch_id.encode(), headers=headers)

    def close(self) -> None:
        """Discard the producer; the next `open` aborts a transaction that is still open."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaError):
                producer.close(timeout=0)


def _read_all(consumer: KafkaConsumer, ends: Mapping[TopicPartition, int]) -> Iterator[str]:
    """Yield the keys of all markers up to the ends; wait for a transaction that is not decided on yet."""
    consumer.seek_to_beginning(*ends)
    deadline = time.monotonic() + OPEN_SECONDS
    while any(consumer.position(partition) < end for partition, end in ends.items()):
        read = consumer.poll(timeout_ms=500, max_records=10_000)
        if not read and time.monotonic() > deadline:
            raise KafkaUnavailable("Kafka did not give the markers to the relay in time; it tries again.")
        for messages in read.values():
            yield from (message.key.decode() for message in messages)
