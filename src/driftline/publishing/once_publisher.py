"""Publishes claimed batches once: a batch that is published and not settled yet is not published again."""

from collections.abc import Sequence

from sqlalchemy import Engine

from driftline.errors import KafkaUnavailable
from driftline.publishing.publisher import BatchPublisher, Publication
from driftline.store import ledger
from driftline.store.database import translated


class OncePublisher:
    """Publishes the batches of one consumer of the ledger, each once, even if the process is killed at any point.

    If it is killed after Kafka's commit and before that of MySQL, its successor learns from the markers which pending
    batches are published already. Not safe to call from two threads at once.
    """

    def __init__(self, engine: Engine, publisher: BatchPublisher, consumer: str) -> None:
        """Store the consumer and its servers; call `open` before `publish`."""
        self._engine, self._publisher, self._consumer = engine, publisher, consumer
        self._published: set[str] | None = None

    @property
    def is_open(self) -> bool:
        """Whether `publish` can be called."""
        return self._published is not None

    def open(self) -> None:
        """Fence the predecessor, then find which pending batches it has already published.

        Raises:
            DatabaseUnavailable, KafkaUnavailable: call it again later.
        """
        self._publisher.open()
        markers = self._publisher.markers()
        with translated(), self._engine.connect() as connection:
            self._published = {*ledger.pending_ids(connection, self._consumer)} & markers

    def publish(self, publications: Sequence[Publication]) -> list[Publication]:
        """Publish the batches that are not published yet, in one transaction; return these.

        Their ids are kept until `forget`, so that a failed commit of MySQL does not publish them twice.

        Raises:
            KafkaUnavailable: the outcome of the transaction is unknown; call `open` first.
        """
        if self._published is None:
            raise KafkaUnavailable("The publisher is not open; call open() first.")
        unsent = [publication for publication in publications if publication.batch_id not in self._published]
        if unsent:
            self._publisher.publish(unsent)
            self._published.update(publication.batch_id for publication in unsent)
        return unsent

    def forget(self, publications: Sequence[Publication]) -> None:
        """Forget the ids of batches that are settled and committed in MySQL."""
        if self._published is not None:
            self._published.difference_update(publication.batch_id for publication in publications)

    def close(self) -> None:
        """Close the producer; `open` opens it again."""
        self._published = None
        self._publisher.close()
