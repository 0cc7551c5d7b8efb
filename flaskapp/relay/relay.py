"""The relay: publishes each committed batch of records to Kafka exactly once, even if it is killed at any point.

The records and markers of the claimed batches are published in one Kafka transaction; then their pending rows are
deleted in one MySQL transaction. If a relay is killed between the two, its successor learns from the markers which
batches are published already. Each relay fences its predecessor first, so two never publish at the same time. While
batches are being published, the next ones are claimed and read on another connection.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine

from churn.ledger import RELAY
from driftline.errors import KafkaUnavailable
from driftline.publishing.once_publisher import OncePublisher
from driftline.publishing.publisher import BatchPublisher, Publication
from flaskapp.relay.claimed_batches import ClaimedBatches, claim_batches

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RelayedBatch:
    """A batch that is no longer pending; `records` is 0 if an earlier relay had already published it."""

    batch_id: str
    records: int


@dataclass(frozen=True, slots=True)
class Prefetch:
    """Claimed batches whose content is being read in the background."""

    claimed: ClaimedBatches
    publications: Future[list[Publication]]

    def discard(self) -> None:
        """Release the claim as soon as the read ends, without waiting for the read to end."""
        self.publications.add_done_callback(lambda _: self.claimed.release())


class Relay:
    """Publishes pending batches in the ledger's order; not safe to call from two threads at once."""

    def __init__(self, engine: Engine, publisher: BatchPublisher) -> None:
        """Store the database engine and the publisher; call `open` before `publish_next`."""
        self._engine, self._publisher = engine, OncePublisher(engine, publisher, RELAY)
        self._prefetch: Prefetch | None = None

    @property
    def is_open(self) -> bool:
        """Whether `publish_next` can be called."""
        return self._publisher.is_open

    def open(self) -> None:
        """Fence the predecessor, then find which pending batches it has already published.

        Raises:
            DatabaseUnavailable, KafkaUnavailable: call it again later.
        """
        self._publisher.open()

    def publish_next(self) -> list[RelayedBatch]:
        """Publish and settle the first pending batches; return them, an empty list if nothing is pending.

        Raises:
            DatabaseUnavailable: call it again.
            KafkaUnavailable: the outcome of the transaction is unknown; call `open` first.
        """
        if not self.is_open:
            raise KafkaUnavailable("The relay is not open; call open() first.")
        prefetch, self._prefetch = self._prefetch or self._begin_prefetch(), None
        if prefetch is None:
            return []
        try:
            publications = prefetch.publications.result()
            self._prefetch = self._begin_prefetch()
            return self._publish(prefetch.claimed, publications)
        except BaseException:
            self._discard_prefetch()
            raise
        finally:
            prefetch.claimed.release()

    def close(self) -> None:
        """Close the producer and discard the prefetched batches; the relay can be opened again."""
        self._discard_prefetch()
        self._publisher.close()

    def _begin_prefetch(self) -> Prefetch | None:
        """Claim the next batches and start to read them in the background.

        The claim stays in this thread: in a background thread, each of its many round trips would wait for the GIL.
        """
        claimed = claim_batches(self._engine)
        return Prefetch(claimed, _start_in_background(claimed.read)) if claimed else None

    def _publish(self, claimed: ClaimedBatches, publications: list[Publication]) -> list[RelayedBatch]:
        """Publish the batches that are not published yet, then settle all of them."""
        sent = {publication.batch_id: len(publication.records) for publication in self._publisher.publish(publications)}
        claimed.settle()
        self._publisher.forget(publications)
        return [RelayedBatch(publication.batch_id, sent.get(publication.batch_id, 0)) for publication in publications]

    def _discard_prefetch(self) -> None:
        prefetch, self._prefetch = self._prefetch, None
        if prefetch is not None:
            prefetch.discard()


def _start_in_background(work: Callable[[], T]) -> Future[T]:
    """Run the work in a daemon thread, which the process does not wait for when it exits (it would for a pool)."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again by Future.result()
            future.set_exception(error)

    threading.Thread(target=run, name="relay-reader", daemon=True).start()
    return future
