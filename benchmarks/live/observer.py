"""A reader who sees when the batches of the ledger are committed."""

import time
from dataclasses import dataclass, field
from threading import Event, Thread

from sqlalchemy import Engine, select

from driftline.store.tables import ledger

PAUSE_SECONDS = 0.02
"""Between two looks: an instant is late by at most this, and by the time of a query."""
WINDOW = 50
"""Numbers that are looked at again, since batches are committed in another order than they are numbered."""


@dataclass
class Observer:
    """When each batch of the ledger was first seen, in seconds since the epoch, by number."""

    engine: Engine
    seen: dict[int, float] = field(default_factory=dict)
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def start(self) -> None:
        """Look until `stop`."""
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        newest = 0
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            while not self._stop.wait(PAUSE_SECONDS):
                statement = select(ledger.c.number).where(ledger.c.number > newest - WINDOW)
                numbers = connection.execute(statement).scalars().all()
                now = time.time()
                for number in numbers:
                    self.seen.setdefault(number, now)
                newest = max(numbers, default=newest)
