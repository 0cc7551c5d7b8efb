"""The publisher that the relay needs: batches in a transaction, and the markers of committed ones. No I/O here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from driftline.errors import KafkaUnavailable
from driftline.settings import KafkaSettings

OPEN_SECONDS = 15.0
"""The longest time for fencing and reading before Kafka counts as unavailable."""
TRANSACTION_SECONDS = 60.0
"""The longest time a transaction may be open before the broker aborts it."""
COMMIT_SECONDS = 30.0
"""The longest time for a commit before Kafka counts as unavailable; one that loses its broker waits this long."""
PROBE_SECONDS = 3.0


@dataclass(frozen=True)
class Route:
    """Where the relay publishes: the broker, both topics, and the transactional id that fences a predecessor."""

    kafka: KafkaSettings
    records_topic: str
    batches_topic: str
    transactional_id: str

    @property
    def bootstrap_servers(self) -> str:
        """The broker's address."""
        return self.kafka.bootstrap_servers

    @property
    def topics(self) -> tuple[str, str]:
        """Both topics."""
        return self.records_topic, self.batches_topic


@dataclass(frozen=True, slots=True)
class Publication:
    """One batch as Kafka gets it: `records` are (key, value) pairs, the marker's key is the batch id."""

    batch_id: str
    marker: str
    records: Sequence[tuple[bytes, bytes]]


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
        raise KafkaUnavailable(f"Kafka has no topic {', '.join(missing)}; `make up` creates it.")
