"""The relay: each committed batch of records once into Kafka, whatever is killed when.

The records and markers of the claimed batches go out in one Kafka transaction, then their pending rows are deleted in one
of MySQL. Killed between the two, the next relay reads from the markers what is out. Fencing first, it can't be
overtaken. While they go out, the next batches are claimed and read on another connection.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine, select

from driftline.errors import KafkaUnavailable
from driftline.store import tables
from driftline.store.database import translated
from driftline.store.ledger import Consumer
from flaskapp.relay.claimed_batches import ClaimedBatches, claim_batches
from flaskapp.relay.publisher import Publication, Publisher

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Relayed:
    """A batch that left the queue: `records` is 0 where an earlier relay had published it already."""

    batch_id: str
    records: int


@dataclass(frozen=True, slots=True)
class Prefetch:
    """Claimed batches whose content is being read in the background."""

    claimed: ClaimedBatches
    publications: Future[list[Publication]]

    def discard(self) -> None:
        """Release the claim as soon as the read ends, without waiting for a server that does not answer."""
        self.publications.add_done_callback(lambda _: self.claimed.release())


class Relay:
    """Publishes what is pending, in the ledger's order; not to be called from two threads at once."""

    def __init__(self, engine: Engine, publisher: Publisher) -> None:
        """Take the database and the publisher; `open` comes first."""
        self._engine, self._publisher = engine, publisher
        self._out: set[str] | None = None
        self._prefetch: Prefetch | None = None

    @property
    def is_open(self) -> bool:
        """Whether `once` can be called."""
        return self._out is not None

    def open(self) -> None:
        """Fence the predecessor, read the markers, then the ledger: which pending batches are out already.

        Raises:
            DatabaseUnavailable, KafkaUnavailable: open it again later.
        """
        self._publisher.open()
        markers = self._publisher.markers()
        self._out = {batch_id for batch_id in _pending_ids(self._engine) if batch_id in markers}

    def once(self) -> list[Relayed]:
        """Publish and settle the batches that come first; give them, none where nothing is pending.

        Raises:
            DatabaseUnavailable: call it again. KafkaUnavailable: the transaction's fate is unknown; `open` first.
        """
        if self._out is None:
            raise KafkaUnavailable("The relay is not open.")
        prefetch, self._prefetch = self._prefetch or self._begin_prefetch(), None
        if prefetch is None:
            return []
        try:
            publications = prefetch.publications.result()
            self._prefetch = self._begin_prefetch()
            return self._relay(prefetch.claimed, publications, self._out)
        except BaseException:
            self._discard_prefetch()
            raise
        finally:
            prefetch.claimed.release()

    def close(self) -> None:
        """Let go of the producer and of what was read ahead; it can be opened again."""
        self._out = None
        self._discard_prefetch()
        self._publisher.close()

    def _begin_prefetch(self) -> Prefetch | None:
        """Claim here, read there: what takes many answers of the server waits for Python's lock at each of them."""
        claimed = claim_batches(self._engine)
        return Prefetch(claimed, _in_background(claimed.read)) if claimed else None

    def _relay(self, claimed: ClaimedBatches, publications: list[Publication], out: set[str]) -> list[Relayed]:
        """Publish what is not out and settle all; until that is committed, `out` knows what MySQL does not."""
        unsent = [publication for publication in publications if publication.batch_id not in out]
        if unsent:
            self._publisher.publish(unsent)
        sent = {publication.batch_id: len(publication.records) for publication in unsent}
        out.update(sent)
        claimed.settle()
        ids = [publication.batch_id for publication in publications]
        out.difference_update(ids)
        return [Relayed(batch_id, sent.get(batch_id, 0)) for batch_id in ids]

    def _discard_prefetch(self) -> None:
        prefetch, self._prefetch = self._prefetch, None
        if prefetch is not None:
            prefetch.discard()


def _in_background(work: Callable[[], T]) -> Future[T]:
    """Begin the work in a thread that the process does not wait for at its end, as it would for a pool's."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again by whoever asks for the result
            future.set_exception(error)

    threading.Thread(target=run, name="relay-reader", daemon=True).start()
    return future


def _pending_ids(engine: Engine) -> list[str]:
    pending = tables.pending_batches
    statement = (
        select(tables.ledger.c.batch_id)
        .join(pending, pending.c.batch_number == tables.ledger.c.number)
        .where(pending.c.consumer == Consumer.RELAY)
    )
    with translated(), engine.connect() as connection:
        return list(connection.execute(statement).scalars())
