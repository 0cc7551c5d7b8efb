"""The publisher that the relay needs: batches in a transaction, and the markers of committed ones. No I/O here."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from driftline import spans
from driftline.errors import KafkaUnavailable
from driftline.settings import KafkaSettings
from driftline.spans import TRACEPARENT, Attributes, SpanKind

OPEN_SECONDS = 15.0
"""The longest time for fencing and reading before Kafka counts as unavailable."""
TRANSACTION_SECONDS = 60.0
"""The longest time a transaction may be open before the broker aborts it."""
COMMIT_SECONDS = 30.0
"""The longest time for a commit before Kafka counts as unavailable; one that loses its broker waits this long."""
PROBE_SECONDS = 3.0
COMPRESSION = "lz4"
"""Both libraries, Spark and all clients of Kafka read it; it costs less processor time than the bytes it saves."""


@dataclass(frozen=True)
class Route:
    """Where batches are published: the broker, the topics, and the transactional id that fences a predecessor.

    The topic of batches is compacted and has the markers. Without a topic of dead letters there may be none.
    """

    kafka: KafkaSettings
    records_topic: str
    batches_topic: str
    transactional_id: str
    dead_letters_topic: str | None = None

    @property
    def bootstrap_servers(self) -> str:
        """The broker's address."""
        return self.kafka.bootstrap_servers

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics."""
        dead_letters = (self.dead_letters_topic,) if self.dead_letters_topic else ()
        return (self.records_topic, self.batches_topic, *dead_letters)

    def marker_topic(self, publication: "Publication") -> str:
        """Return the topic of a publication's marker."""
        if not publication.is_dead_letter:
            return self.batches_topic
        if self.dead_letters_topic is None:
            raise KafkaUnavailable(f"There is no topic of dead letters for batch {publication.batch_id}; set one.")
        return self.dead_letters_topic


@dataclass(frozen=True, slots=True)
class Publication:
    """One batch as Kafka gets it: `records` are (key, value) pairs, the marker's key is the batch id.

    A dead letter has no records, and its marker says what is wrong with the batch; it is not a sign that the batch was
    published. Every message has the headers `batch_id` and `schema_version`, by which a reader knows the fields, and
    where traces are recorded `traceparent`, by which it continues the trace in which the batch was written.
    """

    batch_id: str
    marker: str
    records: Sequence[tuple[bytes, bytes]]
    schema_version: int = 1
    is_dead_letter: bool = False
    traceparent: str | None = None

    @contextmanager
    def sending(self, topic: str) -> Iterator[list[tuple[str, bytes]]]:
        """Return the headers of its messages, which name the span that lasts until the context ends."""
        attributes: Attributes = {
            "messaging.system": "kafka",
            "messaging.destination.name": topic,
            "messaging.batch.message_count": len(self.records),
        }
        with spans.span(f"send {topic}", SpanKind.PRODUCER, parent=self.traceparent, attributes=attributes):
            yield self._headers(spans.traceparent() or self.traceparent)

    def _headers(self, traceparent: str | None) -> list[tuple[str, bytes]]:
        headers = {"batch_id": self.batch_id, "schema_version": str(self.schema_version), TRACEPARENT: traceparent}
        return [(name, value.encode()) for name, value in headers.items() if value is not None]


class BatchPublisher(Protocol):
    """A transactional producer of one library; every failure of Kafka is `KafkaUnavailable`.

    If Kafka is available but does not accept this client or its certificate, `probe` and `open` raise `KafkaRefused`.
    """

    def probe(self) -> None:
        """Check that the broker answers and has the topics; safe from any thread."""

    def open(self) -> None:
        """Become the only producer of the transactional id, which aborts the predecessor's open transaction."""

    def markers(self) -> frozenset[str]:
        """Return the ids of all batches whose transaction was committed."""

    def publish(self, publications: Sequence[Publication]) -> None:
        """Publish batches' records and markers in one transaction; after an error, call `open` again."""

    def close(self) -> None:
        """Close the connection without waiting for pending requests."""


def require_topics(required: Iterable[str], present: Iterable[str]) -> None:
    """Check that the broker has the topics.

    Raises:
        KafkaUnavailable: topics are missing; the message names them.
    """
    missing = sorted({*required} - {*present})
    if missing:
        raise KafkaUnavailable(f"Kafka has no topic {', '.join(missing)}; create what is missing.")
