"""A step of work done over and over in a thread: it waits while a server is away, and says why."""

import logging
import threading
from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential
from tenacity.stop import stop_when_event_set

from driftline.errors import Unavailable

log = logging.getLogger(__name__)

LONGEST_WAIT = 3.0
"""Seconds between two tries while a server is away."""
AFTER_A_FAULT = 5.0


class Worker:
    """Calls `step` again and again; it gives the seconds until it wants to be called next, None for when woken."""

    def __init__(self, name: str, step: Callable[[], float | None]) -> None:
        """Take the step; the thread begins with `start`."""
        self.error: str | None = None
        """Why the work waits, while it does."""
        self._name = name
        self._step = step
        self._woken, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Have the next step now."""
        self._woken.set()

    def close(self, seconds: float = 10.0) -> None:
        """Have no further step, and wait for the one under way."""
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closing.is_set():
            pause = self._once()
            self._woken.wait(pause)
            self._woken.clear()

    def _once(self) -> float | None:
        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            wait=wait_random_exponential(0.1, max=LONGEST_WAIT),
            stop=stop_when_event_set(self._closing),
            sleep=self._sleep,
            before_sleep=self._note,
            reraise=True,
        )
        try:
            pause = retrying(self._step)
        except Unavailable:
            return 0.0
        except Exception as error:
            log.exception("%s: a step failed; it is tried again", self._name)
            self.error = f"{type(error).__name__}: see the log of the simulator"
            return AFTER_A_FAULT
        self.error = None
        return pause

    def _sleep(self, seconds: float) -> None:
        self._closing.wait(seconds)

    def _note(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if self.error is None:
            log.warning("%s waits: %s", self._name, error)
        self.error = str(error)
