"""The default publisher, which uses confluent-kafka (librdkafka)."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from driftline.errors import KafkaRefused, KafkaUnavailable
from driftline.kafka import AUTHENTICATION_FAILED, confluent_options, require_trust
from driftline.publishing.publisher import (
    COMMIT_SECONDS,
    COMPRESSION,
    OPEN_SECONDS,
    PROBE_SECONDS,
    TRANSACTION_SECONDS,
    Publication,
    Route,
    require_topics,
)

log = logging.getLogger(__name__)

QUEUE = 250_000
"""The client's queue, in messages: larger than the largest batch of the ledger."""
MARKERS, READ_SECONDS = 1_000, 0.1
"""One read of markers returns after this many messages, or after this time."""


@contextmanager
def translated() -> Iterator[None]:
    """Translate the library's errors into Driftline's."""
    try:
        yield
    except (KafkaException, BufferError) as error:
        raise KafkaUnavailable from error


class ConfluentPublisher:
    """The `BatchPublisher` of confluent-kafka."""

    def __init__(self, route: Route) -> None:
        """Store the route; nothing is connected."""
        self.route = route
        self._client = {**confluent_options(route.kafka), "log_level": 0}
        self._producer: Producer | None = None

    def probe(self) -> None:
        """Check that the broker answers and has the topics."""
        errors: list[KafkaError] = []
        client = AdminClient({**self._client, "error_cb": errors.append}, logger=log)
        try:
            present = client.list_topics(timeout=PROBE_SECONDS).topics
        except KafkaException as error:
            client.poll(0)  # delivers its errors to the callback
            self._require_acceptance(errors)
            raise KafkaUnavailable from error
        require_topics(self.route.topics, present)

    def _require_acceptance(self, errors: list[KafkaError]) -> None:
        """Raise `KafkaRefused` if broker and client do not accept each other's certificate or password."""
        require_trust(self.route.kafka)
        for error in errors:
            if error.code() == KafkaError._AUTHENTICATION:
                raise KafkaRefused(AUTHENTICATION_FAILED)

    def open(self) -> None:
        """Fence the predecessor."""
        self.close()
        self.probe()
        options = {
            "transactional.id": self.route.transactional_id,
            "transaction.timeout.ms": round(1000 * TRANSACTION_SECONDS),
            "linger.ms": 20,
            "compression.type": COMPRESSION,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": QUEUE,
            "queue.buffering.max.kbytes": 262_144,
        }
        with translated():
            producer = Producer({**self._client, **options}, logger=log)
            producer.init_transactions(OPEN_SECONDS)
        self._producer = producer

    def markers(self) -> frozenset[str]:
        """Read the markers' topic from its beginning to its end."""
        with translated():
            ends = self._ends()
            with self._consumer("read_committed") as consumer:
                return frozenset(self._read_all(consumer, ends))

    @contextmanager
    def _consumer(self, isolation: str) -> Iterator[Consumer]:
        """Open a consumer of an isolation level and close it afterwards."""
        options = {
            "group.id": f"{self.route.transactional_id}-markers",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": isolation,
        }
        consumer = Consumer({**self._client, **options}, logger=log)
        try:
            yield consumer
        finally:
            consumer.close()

    def _ends(self) -> dict[int, int]:
        """Return by partition where the markers end, those included that a commit has not made readable yet."""
        topic = self.route.batches_topic
        with self._consumer("read_uncommitted") as consumer:
            numbers = consumer.list_topics(topic, timeout=OPEN_SECONDS).topics[topic].partitions
            return {
                number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=OPEN_SECONDS)[1]
                for number in numbers
            }

    def _read_all(self, consumer: Consumer, ends: Mapping[int, int]) -> Iterator[str]:
        """Yield the keys of all markers, from the beginning to the end of each partition.

        A reader of committed messages comes to an end before a transaction that is not decided on yet, which is waited
        for: without its markers, batches would be published twice.
        """
        unread = set(ends)
        consumer.assign([TopicPartition(self.route.batches_topic, number, OFFSET_BEGINNING) for number in unread])
        deadline = time.monotonic() + OPEN_SECONDS
        while unread:
            messages = consumer.consume(MARKERS, READ_SECONDS)
            if not messages and time.monotonic() > deadline:
                raise KafkaUnavailable("Kafka did not return the markers in time; the relay will try again.")
            for message in messages:
                error = message.error()
                if error is None:
                    yield message.key().decode()
                elif error.code() == KafkaError._PARTITION_EOF:
                    if message.offset() >= ends[message.partition()]:
                        unread.discard(message.partition())
                else:
                    raise KafkaException(error)

    def publish(self, publications: Sequence[Publication]) -> None:
        """Publish batches and their markers in one transaction."""
        if self._producer is None:
            raise KafkaUnavailable("The relay's producer is not open; call open() first.")
        with translated():
            self._producer.list_topics(
                self.route.records_topic, PROBE_SECONDS
            )  # fails fast: without it an unavailable broker takes a minute
            self._producer.begin_transaction()
            for publication in publications:
                self._send(self._producer, publication)
            self._producer.commit_transaction(COMMIT_SECONDS)

    def _send(self, producer: Producer, publication: Publication) -> None:
        """Pass the records to the client one by one: its call for many takes half the time, but has no headers."""
        topic, marker_topic = self.route.records_topic, self.route.marker_topic(publication)
        with publication.sending(topic) as headers:
            for key, value in publication.records:
                producer.produce(topic, value, key, headers=headers)
            producer.produce(marker_topic, publication.marker, publication.batch_id, headers=headers)

    def close(self) -> None:
        """Discard the producer; the next `open` aborts a transaction that is still open."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaException):
                producer.purge()
