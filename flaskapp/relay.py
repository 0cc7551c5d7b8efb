"""The relay: each committed batch of records once into Kafka, whatever is killed when.

The records and markers of a lot of batches go out in one Kafka transaction, then their pending rows are deleted in one
of MySQL. Killed between the two, the next relay reads from the markers what is out. Fencing first, it can't be
overtaken. While a lot goes out, the next one is claimed and read on a connection of its own.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Engine, select

from driftline import tables
from driftline.database import translated
from driftline.errors import KafkaUnavailable, Unavailable
from driftline.ledger import Consumer
from flaskapp.lot import Lot, read_lot
from flaskapp.publisher import Publisher

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Relayed:
    """A batch that left the queue: `records` is 0 where an earlier relay had published it already."""

    batch_id: str
    records: int


class Relay:
    """Publishes what is pending, in the ledger's order; not to be called from two threads at once."""

    def __init__(self, engine: Engine, publisher: Publisher) -> None:
        """Take the database and the publisher; `open` comes first."""
        self._engine, self._publisher = engine, publisher
        self._out: set[str] | None = None
        self._ahead: Future[Lot | None] | None = None

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
        lot = self._next()
        if lot is None:
            return []
        self._ahead = _in_background(lambda: read_lot(self._engine))
        try:
            return self._relay(lot, self._out)
        except BaseException:
            self._let_go()
            raise
        finally:
            lot.release()

    def close(self) -> None:
        """Let go of the producer and of what was read ahead; it can be opened again."""
        self._out = None
        self._let_go()
        self._publisher.close()

    def _next(self) -> Lot | None:
        ahead, self._ahead = self._ahead, None
        return (ahead and ahead.result()) or read_lot(self._engine)

    def _relay(self, lot: Lot, out: set[str]) -> list[Relayed]:
        """Publish what is not out and settle all; until that is committed, `out` knows what MySQL does not."""
        unsent = [publication for publication in lot.publications if publication.batch_id not in out]
        if unsent:
            self._publisher.publish(unsent)
        sent = {publication.batch_id: len(publication.records) for publication in unsent}
        out.update(sent)
        lot.settle()
        relayed = [Relayed(publication.batch_id, sent.get(publication.batch_id, 0)) for publication in lot.publications]
        out.difference_update(batch.batch_id for batch in relayed)
        return relayed

    def _let_go(self) -> None:
        """Release what is read ahead, as soon as it is read: a server that does not answer keeps nobody waiting."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.add_done_callback(_release)


def _release(ahead: Future[Lot | None]) -> None:
    with suppress(Unavailable):
        lot = ahead.result()
        if lot is not None:
            lot.release()


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
