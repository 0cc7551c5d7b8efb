"""The relay: each committed batch of records once into Kafka, whatever is killed when.

The records and markers of a lot of batches go out in one Kafka transaction, then their pending rows are deleted in one
of MySQL. Killed between the two, the next relay reads from the markers what is out. Fencing first, it can't be
overtaken. While a lot goes out, the next one is claimed and read on a connection of its own.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine, select

from churn.ledger import RELAY
from driftline.errors import KafkaUnavailable
from driftline.store import tables
from driftline.store.database import translated
from flaskapp.relay.claimed_batches import Lot, claim_lot
from flaskapp.relay.publisher import Publication, Publisher

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Relayed:
    """A batch that left the queue: `records` is 0 where an earlier relay had published it already."""

    batch_id: str
    records: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A claimed lot whose content is being read in the background."""

    lot: Lot
    publications: Future[list[Publication]]

    def let_go(self) -> None:
        """Release the lot as soon as it is read: a server that does not answer keeps nobody waiting."""
        self.publications.add_done_callback(lambda _: self.lot.release())


class Relay:
    """Publishes what is pending, in the ledger's order; not to be called from two threads at once."""

    def __init__(self, engine: Engine, publisher: Publisher) -> None:
        """Take the database and the publisher; `open` comes first."""
        self._engine, self._publisher = engine, publisher
        self._out: set[str] | None = None
        self._ahead: Reading | None = None

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
        reading, self._ahead = self._ahead or self._begin(), None
        if reading is None:
            return []
        try:
            publications = reading.publications.result()
            self._ahead = self._begin()
            return self._relay(reading.lot, publications, self._out)
        except BaseException:
            self._let_go()
            raise
        finally:
            reading.lot.release()

    def close(self) -> None:
        """Let go of the producer and of what was read ahead; it can be opened again."""
        self._out = None
        self._let_go()
        self._publisher.close()

    def _begin(self) -> Reading | None:
        """Claim here, read there: what takes many answers of the server waits for Python's lock at each of them."""
        lot = claim_lot(self._engine)
        return Reading(lot, _in_background(lot.read)) if lot else None

    def _relay(self, lot: Lot, publications: list[Publication], out: set[str]) -> list[Relayed]:
        """Publish what is not out and settle all; until that is committed, `out` knows what MySQL does not."""
        unsent = [publication for publication in publications if publication.batch_id not in out]
        if unsent:
            self._publisher.publish(unsent)
        sent = {publication.batch_id: len(publication.records) for publication in unsent}
        out.update(sent)
        lot.settle()
        ids = [publication.batch_id for publication in publications]
        out.difference_update(ids)
        return [Relayed(batch_id, sent.get(batch_id, 0)) for batch_id in ids]

    def _let_go(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.let_go()


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
        .where(pending.c.consumer == RELAY)
    )
    with translated(), engine.connect() as connection:
        return list(connection.execute(statement).scalars())
