"""Delivers events to one receiver: in the background, in their order, from a queue that cannot grow without limit."""

import logging
from collections import deque
from collections.abc import Callable
from threading import Condition, Event, Thread

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_exponential
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_when_event_set

from driftline.errors import DriftlineError, Unavailable
from driftline.lineage.runs import EventCounts, RunEvent

log = logging.getLogger(__name__)

MOST_WAITING = 1_000
"""How many events wait for a receiver at most; those that come then are lost."""
TRY_SECONDS = 60.0
"""How long an event is tried before it is lost."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
CLOSE_SECONDS = 5.0
"""How long the end of a process waits for the last events."""


class ReceiverAway(Unavailable):
    """The receiver of lineage does not answer, or answers with an error; check DRIFTLINE_LINEAGE_ADDRESS."""


class EventRefused(DriftlineError):
    """The receiver of lineage refuses the event."""


class Outlet:
    """The queue and the thread of one receiver; `deliver` sends an event, or raises one of the errors above."""

    def __init__(self, name: str, deliver: Callable[[RunEvent], None], most: int = MOST_WAITING) -> None:
        """Start the thread; nothing is connected before the first event."""
        self.name, self._deliver, self._most = name, deliver, most
        self._waiting, self._changed = deque[RunEvent](), Condition()
        self._closing, self._stop = False, Event()
        self._delivered = self._lost = 0
        self._has_failed = False
        self._thread = Thread(target=self._run, name=f"lineage to {name}", daemon=True)
        self._thread.start()

    def add(self, event: RunEvent) -> None:
        """Queue an event; where the queue is full, the event is lost."""
        with self._changed:
            if len(self._waiting) < self._most and not self._closing:
                self._waiting.append(event)
                self._changed.notify()
                return
            self._lost += 1
        self._log_failure("too many events wait")

    def counts(self) -> EventCounts:
        """Return how many events were delivered and lost."""
        with self._changed:
            return EventCounts(self._delivered, self._lost)

    def close(self) -> None:
        """Deliver what waits, for `CLOSE_SECONDS` at most; the rest is lost."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)
        self._stop.set()
        with self._changed:
            self._lost += len(self._waiting)
            self._waiting.clear()
            delivered, lost = self._delivered, self._lost
        if lost:
            log.error("Lineage: %d events reached %s, %d were lost.", delivered, self.name, lost)

    def _run(self) -> None:
        """Deliver one event after the other until the outlet is closed."""
        while (event := self._next()) is not None:
            is_delivered = self._try(event)
            with self._changed:
                self._delivered += is_delivered
                self._lost += not is_delivered

    def _next(self) -> RunEvent | None:
        """Wait for the next event; None once the outlet is closed and its queue is empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing)
            return self._waiting.popleft() if self._waiting else None

    def _try(self, event: RunEvent) -> bool:
        """Deliver an event, again after failures of its receiver; return whether it arrived."""
        retrying = Retrying(
            retry=retry_if_exception_type(ReceiverAway),
            wait=wait_exponential(FIRST_PAUSE, max=LONGEST_PAUSE),
            stop=stop_after_delay(TRY_SECONDS) | stop_when_event_set(self._stop),
            sleep=sleep_using_event(self._stop),
            before_sleep=lambda state: self._log_failure(str(state.outcome and state.outcome.exception())),
        )
        try:
            retrying(self._deliver, event)
        except (RetryError, EventRefused) as error:
            self._log_failure(str(error))
            return False
        except Exception:
            log.exception("Lineage: an event cannot be sent to %s.", self.name)
            return False
        if self._has_failed:
            log.warning("Lineage: %s takes events again.", self.name)
        self._has_failed = False
        return True

    def _log_failure(self, problem: str) -> None:
        """Log the first failure since an event arrived; the number of lost events is a metric."""
        if not self._has_failed:
            self._has_failed = True
            log.error("Lineage: %s: %s", self.name, problem)
