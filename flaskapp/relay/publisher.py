"""What the relay needs of Kafka: batches in a transaction, and the markers of those committed. No I/O here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from driftline.errors import KafkaUnavailable
from driftline.settings import KafkaSettings

OPEN_SECONDS = 15.0
"""How long fencing and reading may take before Kafka counts as away."""
TRANSACTION_SECONDS = 60.0
"""How long a transaction may be open before the broker ends it."""
COMMIT_SECONDS = 30.0
"""How long a commit may take before Kafka counts as away: one that loses its broker on the way waits so long."""
PROBE_SECONDS = 3.0


@dataclass(frozen=True)
class Route:
    """Where the relay publishes: the broker, its two topics, and the transactional id that fences a predecessor."""

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


class Publisher(Protocol):
    """A transactional producer of one library; every failure of Kafka is `KafkaUnavailable`.

    Where Kafka is there and this client or its certificate is not accepted, `probe` and `open` say so: `KafkaRefused`.
    """

    def probe(self) -> None:
        """Check that the broker answers and has the topics; safe from any thread."""

    def open(self) -> None:
        """Become the only producer of the transactional id: what the predecessor left open is ended."""

    def markers(self) -> frozenset[str]:
        """Read the ids of all batches whose transaction was committed."""

    def publish(self, publications: Sequence[Publication]) -> None:
        """Send batches' records and markers in one transaction; after an error, `open` again."""

    def close(self) -> None:
        """Let go of the connection without waiting for what is under way."""


def require_topics(wanted: Iterable[str], present: Iterable[str]) -> None:
    """Check that the broker has the topics.

    Raises:
        KafkaUnavailable: it has not; the message names them.
    """
    missing = sorted({*wanted} - {*present})
    if missing:
        raise KafkaUnavailable(f"Kafka has no topic {', '.join(missing)}; `make up` creates it.")
