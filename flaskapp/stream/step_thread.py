"""A thread that repeats one step of work, and waits while a server is unavailable."""

import logging
import threading
from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential
from tenacity.stop import stop_when_event_set

from driftline.errors import Unavailable

log = logging.getLogger(__name__)

LONGEST_RETRY_WAIT = 3.0
"""The longest wait in seconds between two attempts while a server is unavailable."""
WAIT_AFTER_ERROR = 5.0
"""Seconds until a step that raised an unexpected error is repeated."""


class StepThread:
    """Calls `step` repeatedly; the step returns the seconds until its next call, or None to wait for `wake`."""

    def __init__(self, name: str, step: Callable[[], float | None]) -> None:
        """Store the step; `start` starts the thread."""
        self.error: str | None = None
        """Why the thread is waiting, or None if it is not."""
        self._name = name
        self._step = step
        self._woken, self._closing = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Call the step now instead of at its next time."""
        self._woken.set()

    def close(self, seconds: float = 10.0) -> None:
        """Call no further step, and wait up to `seconds` for the current one."""
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._closing.is_set():
            pause = self._run_step()
            self._woken.wait(pause)
            self._woken.clear()

    def _run_step(self) -> float | None:
        """Run one step, repeated while a server is unavailable; return the seconds to wait before the next."""
        retrying = Retrying(
            retry=retry_if_exception_type(Unavailable),
            wait=wait_random_exponential(0.1, max=LONGEST_RETRY_WAIT),
            stop=stop_when_event_set(self._closing),
            sleep=self._sleep,
            before_sleep=self._record_error,
            reraise=True,
        )
        try:
            pause = retrying(self._step)
        except Unavailable:
            return 0.0
        except Exception as error:
            log.exception("%s: a step failed and will be repeated", self._name)
            self.error = f"{type(error).__name__}: see the simulator's log"
            return WAIT_AFTER_ERROR
        self.error = None
        return pause

    def _sleep(self, seconds: float) -> None:
        self._closing.wait(seconds)

    def _record_error(self, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if self.error is None:
            log.warning("%s is waiting: %s", self._name, error)
        self.error = str(error)
