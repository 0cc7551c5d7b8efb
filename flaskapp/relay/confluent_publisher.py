"""Publishing with confluent-kafka (librdkafka): the default."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from driftline.errors import KafkaRefused, KafkaUnavailable
from driftline.kafka import AUTHENTICATION_FAILED, confluent_options, require_trust
from flaskapp.relay.publisher import (
    COMMIT_SECONDS,
    OPEN_SECONDS,
    PROBE_SECONDS,
    TRANSACTION_SECONDS,
    Publication,
    Route,
    require_topics,
)

log = logging.getLogger(__name__)

QUEUE = 250_000
"""Messages the client holds: more than a whole batch of the ledger."""
MARKERS, READ_SECONDS = 1_000, 0.1
"""A reading of markers returns with this many, or after this time."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn the library's errors into Driftline's."""
    try:
        yield
    except (KafkaException, BufferError) as error:
        raise KafkaUnavailable from error


class ConfluentPublisher:
    """The `Publisher` of confluent-kafka."""

    def __init__(self, route: Route) -> None:
        """Take the route; nothing is connected."""
        self.route = route
        self._client = {**confluent_options(route.kafka), "log_level": 0}
        self._producer: Producer | None = None

    def probe(self) -> None:
        """Check that the broker answers and has the topics."""
        complaints: list[KafkaError] = []
        client = AdminClient({**self._client, "error_cb": complaints.append}, logger=log)
        try:
            present = client.list_topics(timeout=PROBE_SECONDS).topics
        except KafkaException as error:
            client.poll(0)  # hands over what it complained of
            self._require_welcome(complaints)
            raise KafkaUnavailable from error
        require_topics(self.route.topics, present)

    def _require_welcome(self, complaints: list[KafkaError]) -> None:
        """Tell a broker that is away from one that does not take what this client shows, or shows what it doesn't."""
        require_trust(self.route.kafka)
        for complaint in complaints:
            if complaint.code() == KafkaError._AUTHENTICATION:
                raise KafkaRefused(AUTHENTICATION_FAILED)

    def open(self) -> None:
        """Fence the predecessor."""
        self.close()
        self.probe()
        options = {
            "transactional.id": self.route.transactional_id,
            "transaction.timeout.ms": round(1000 * TRANSACTION_SECONDS),
            "linger.ms": 20,
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
        options = {
            "group.id": f"{self.route.transactional_id}-markers",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": "read_committed",
        }
        with translated():
            consumer = Consumer({**self._client, **options}, logger=log)
            try:
                return frozenset(self._read_all(consumer))
            finally:
                consumer.close()

    def _read_all(self, consumer: Consumer) -> Iterator[str]:
        topic = self.route.batches_topic
        unread = set(consumer.list_topics(topic, timeout=OPEN_SECONDS).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in unread])
        deadline = time.monotonic() + OPEN_SECONDS
        while unread:
            messages = consumer.consume(MARKERS, READ_SECONDS)
            if not messages and time.monotonic() > deadline:
                raise KafkaUnavailable("Kafka did not give the markers to the relay in time; it tries again.")
            for message in messages:
                error = message.error()
                if error is None:
                    yield message.key().decode()
                elif error.code() == KafkaError._PARTITION_EOF:
                    unread.discard(message.partition())
                else:
                    raise KafkaException(error)

    def publish(self, publications: Sequence[Publication]) -> None:
        """Send batches and their markers in one transaction."""
        if self._producer is None:
            raise KafkaUnavailable("The relay's producer is not open.")
        with translated():
            self._producer.list_topics(
                self.route.records_topic, PROBE_SECONDS
            )  # or a broker that is away costs a minute
            self._producer.begin_transaction()
            for publication in publications:
                self._send(self._producer, publication)
            self._producer.commit_transaction(COMMIT_SECONDS)

    def _send(self, producer: Producer, publication: Publication) -> None:
        """Hand the records to the client in one call: one by one costs twice as much."""
        records = [{"key": key, "value": value} for key, value in publication.records]
        if producer.produce_batch(self.route.records_topic, records) != len(records):
            raise BufferError("The client's queue is full.")
        producer.produce(self.route.batches_topic, publication.marker, publication.batch_id)

    def close(self) -> None:
        """Drop the producer; a transaction under way is ended by the next `open`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(KafkaException):
                producer.purge()
