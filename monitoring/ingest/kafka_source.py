"""Reads topics of predictions and labels and stores each of their rows once, also when processes are killed."""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from threading import Event
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as KafkaMessage

from driftline import spans
from driftline.errors import DriftlineError, KafkaUnavailable
from driftline.ingest.ingestion import Ingestion
from driftline.ingest.messages.message import Message
from driftline.ingest.messages.message_writer import MessageWriter, StoredMessages
from driftline.kafka import confluent_options
from driftline.lineage.datasets import topic_dataset
from driftline.lineage.runs import ingesting
from driftline.settings import KafkaSettings
from driftline.spans import TRACEPARENT, Attributes, SpanKind
from driftline.store.database import translated
from driftline.store.ledger import BatchKind
from driftline.store.sources import source_offsets
from driftline.store.sources.source_offsets import OffsetMoved
from driftline.worker import Retries, persist
from monitoring.ingest.dead_letters import DeadLetterTopic
from monitoring.ingest.settings import IngestSettings

log = logging.getLogger(__name__)

MOST_MESSAGES = 5_000
"""How many messages are stored together at most."""
WAIT_SECONDS = 1.0
BROKER_SECONDS = 10.0
SESSION_MILLISECONDS = 10_000
"""After this time without a sign of life, the partitions of a process are given to others."""
NO_ANSWER = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._TIMED_OUT})
"""The client's errors where no broker answers, for whichever partition."""

Place = tuple[str, int]
"""A topic and a partition."""


@dataclass
class KafkaSource:
    """Reads the topics of the settings into a database.

    The offset to read next is stored in the transaction of the rows. Any number of processes may run; Kafka divides
    the partitions among them, and a process that lost a partition without noticing stores nothing of it.
    """

    settings: IngestSettings
    kafka: KafkaSettings
    ingestion: Ingestion
    _consumer: Consumer = field(init=False)
    _writers: Mapping[str, MessageWriter] = field(init=False)
    _stored: dict[Place, int | None] = field(init=False, default_factory=dict)
    _at_end: set[Place] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        """Make the clients; nothing is read."""
        options = confluent_options(self.kafka)
        settings = self.settings
        reading: dict[str, Any] = {
            "group.id": settings.group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "session.timeout.ms": SESSION_MILLISECONDS,
            "log_level": 0,
        }
        self._consumer = Consumer({**options, **reading})
        dead = DeadLetterTopic(settings.dead_letters_topic, options)
        kinds = {settings.predictions_topic: BatchKind.PREDICTIONS, settings.labels_topic: BatchKind.LABELS}
        self._writers = {
            topic: MessageWriter(self.ingestion, kind, dead.publish, settings.model) for topic, kind in kinds.items()
        }

    def run(self, stop: Event) -> None:
        """Read and store until `stop` is set; a failure of a server is waited for."""
        self._consumer.subscribe([*self._writers], on_assign=lambda _, places: self._assign(places, stop))
        try:
            while not stop.is_set():
                persist(self._store_next, stop, Retries())
        finally:
            self._consumer.close()

    def run_to_end(self) -> StoredMessages:
        """Read every partition to its present end and store the rows, without joining the consumer group.

        Raises:
            KafkaUnavailable: the broker does not answer, or a topic is missing.
            Unavailable: the database does not answer.
        """
        try:
            ends = dict(self._ends())
            self._assign([TopicPartition(topic, part) for topic, part in ends], Event())
            total = StoredMessages(0, 0)
            while any((self._stored[place] or 0) < end and place not in self._at_end for place, end in ends.items()):
                stored = self._store_next()
                total = StoredMessages(total.rows + stored.rows, total.dead_letters + stored.dead_letters)
        except KafkaException as error:
            raise KafkaUnavailable from error
        finally:
            self._consumer.close()
        return total

    def _ends(self) -> Iterator[tuple[Place, int]]:
        """Yield each partition of the topics that has messages, and the offset after its last one."""
        for topic in self._writers:
            described = self._consumer.list_topics(topic, timeout=BROKER_SECONDS).topics[topic]
            if described.error is not None:
                raise KafkaException(described.error)
            for part in described.partitions:
                first, end = self._consumer.get_watermark_offsets(TopicPartition(topic, part), timeout=BROKER_SECONDS)
                if end > first:
                    yield (topic, part), end

    def _assign(self, places: Sequence[TopicPartition], stop: Event) -> None:
        """Begin each partition where the database says, after waiting for it; begin none where `stop` is set."""
        offsets = persist(lambda: self._read_offsets([(p.topic, p.partition) for p in places]), stop, Retries())
        if offsets is None:
            self._consumer.assign([])
            return
        self._stored |= offsets
        assigned = [self._start(place.topic, place.partition) for place in places]
        self._log_gaps([place for place in assigned if place.offset >= 0])
        self._consumer.assign(assigned)
        log.info("Reading %s.", ", ".join(f"{p.topic}/{p.partition}" for p in assigned) or "no partition")

    def _read_offsets(self, places: Sequence[Place]) -> dict[Place, int | None]:
        stored: dict[Place, int | None] = dict.fromkeys(places)
        with translated(), self.ingestion.engine.connect() as connection:
            for topic in {topic for topic, _ in places}:
                parts = [part for name, part in places if name == topic]
                offsets = source_offsets.read(connection, _source(topic), parts)
                stored |= {(topic, part): offset for part, offset in offsets.items()}
        return stored

    def _start(self, topic: str, part: int) -> TopicPartition:
        """Return where a partition is read on."""
        offset = self._stored.get((topic, part))
        return TopicPartition(topic, part, OFFSET_BEGINNING if offset is None else offset)

    def _log_gaps(self, places: Sequence[TopicPartition]) -> None:
        """Log where partitions do not have the messages that are to be read next.

        Wait 10 s at most for all of them, and for a broker that does not answer once.
        """
        deadline = time.monotonic() + BROKER_SECONDS
        answers = True
        for number, place in enumerate(places):
            seconds = deadline - time.monotonic()
            if seconds <= 0 or not answers:
                log.warning("Kafka did not say in time which messages %d partitions have.", len(places) - number)
                return
            try:
                self._log_gap(place, seconds)
            except KafkaException as error:
                log.warning("Kafka does not say which messages %s/%d has: %s", place.topic, place.partition, error)
                answers = error.args[0].code() not in NO_ANSWER

    def _log_gap(self, place: TopicPartition, seconds: float) -> None:
        """Log an error where messages expired before they were read, or the stored offset is beyond the end.

        Raises:
            KafkaException: the broker does not answer, or not about this partition.
        """
        first, end = self._consumer.get_watermark_offsets(place, timeout=seconds)
        if first > place.offset:
            log.error(
                "Kafka has removed the messages %d to %d of %s/%d before they were read; they are lost."
                " Lengthen the topic's retention.", place.offset, first - 1, place.topic, place.partition,
            )  # fmt: skip
        elif end < place.offset:
            log.error(
                "%s/%d ends at offset %d, before %d, which is to be read next: the topic was created again or lost"
                " messages. Messages of smaller offsets are not read; send them to a topic of another name.",
                place.topic, place.partition, end, place.offset,
            )  # fmt: skip

    def _store_next(self) -> StoredMessages:
        """Read the next messages and store those of each partition; partitions that fail are read again."""
        received, failure = self._receive()
        rows = dead = 0
        for place, messages in received:
            try:
                stored = self._store_or_reread(place, messages)
            except DriftlineError as error:
                failure = error
                self._seek(place, messages[0].offset)
            else:
                rows, dead = rows + stored.rows, dead + stored.dead_letters
        if failure is not None:
            raise failure
        return StoredMessages(rows, dead)

    def _receive(self) -> tuple[list[tuple[Place, list[Message]]], DriftlineError | None]:
        """Return the next messages of each partition, without those that are stored; and an error of the broker."""
        try:
            received = self._consumer.consume(MOST_MESSAGES, WAIT_SECONDS)
        except KafkaException as error:
            raise KafkaUnavailable from error
        failure: DriftlineError | None = None
        messages: list[Message] = []
        for event in received:
            fault = event.error()
            if fault is None:
                messages.append(_message(event))
                self._at_end.discard(_place(messages[-1]))
            elif fault.code() == KafkaError._PARTITION_EOF:
                self._at_end.add((str(event.topic()), int(event.partition() or 0)))
            else:
                failure = KafkaUnavailable(f"Kafka reports: {fault.str()}. Check the topics and the INGEST_* settings.")
        messages = [message for message in messages if message.offset >= (self._stored.get(_place(message)) or 0)]
        messages.sort(key=_place)  # stable: the order of each partition stays
        return [(place, list(of_place)) for place, of_place in groupby(messages, _place)], failure

    def _store_or_reread(self, place: Place, messages: Sequence[Message]) -> StoredMessages:
        """Store messages of a partition; where another process has read on, store nothing and continue from there."""
        try:
            return self._store(place, messages)
        except OffsetMoved as error:
            log.warning("%s", error)
            self._reread(place)
            return StoredMessages(0, 0)

    def _store(self, place: Place, messages: Sequence[Message]) -> StoredMessages:
        """Store messages with the partition's offset, within a span that continues their traces."""
        topic, part = place
        expected = self._stored[place]
        attributes: Attributes = {
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "messaging.batch.message_count": len(messages),
        }
        traces = (message.traceparent for message in messages)
        span = spans.continue_traces(f"process {topic}", SpanKind.CONSUMER, traces, attributes)
        with span, ingesting(topic_dataset(self.kafka.bootstrap_servers, topic)):
            stored = self._writers[topic].store(_source(topic), part, expected, messages)
        self._stored[place] = messages[-1].offset + 1
        log.info("%s/%d: %d rows stored, %d dead letters.", topic, part, stored.rows, stored.dead_letters)
        self._commit(place)
        return stored

    def _commit(self, place: Place) -> None:
        """Commit the group's offsets to Kafka for tools that show its lag; Driftline does not read them back."""
        offset = self._stored[place]
        try:
            self._consumer.commit(offsets=[TopicPartition(*place, offset or 0)], asynchronous=True)
        except KafkaException as error:
            log.debug("Kafka did not take the offset of %s/%d: %s", *place, error)

    def _reread(self, place: Place) -> None:
        """Continue a partition from what another process has stored."""
        self._stored |= self._read_offsets([place])
        self._seek(place, self._stored[place] or 0)

    def _seek(self, place: Place, offset: int) -> None:
        """Read a partition from an offset on, unless it has been given to another process."""
        self._at_end.discard(place)
        try:
            self._consumer.seek(TopicPartition(*place, offset))
        except KafkaException as error:
            log.warning("%s/%d is no longer read here: %s", *place, error)


def _source(topic: str) -> str:
    return f"kafka/{topic}"


def _place(message: Message) -> Place:
    return message.topic, message.partition


def _message(message: KafkaMessage) -> Message:
    """Return a received message that is not an error."""
    topic, part, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None and part is not None and offset is not None  # noqa: S101  # only errors lack them
    _, time = message.timestamp()
    return Message(topic, part, offset, time, message.value(), message.key(), _traceparent(message))


def _traceparent(message: KafkaMessage) -> str | None:
    """Return the trace in which a message was sent, where traces are recorded here and there."""
    headers = message.headers() if spans.is_recording() else None
    value = next((value for name, value in headers or () if name == TRACEPARENT), None)
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value
