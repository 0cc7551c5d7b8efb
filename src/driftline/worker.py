"""The loop of a process that repeats its work until a signal stops it, and waits for servers that are away."""

import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_exponential
from tenacity.nap import sleep_using_event
from tenacity.stop import stop_when_event_set

from driftline.errors import DriftlineError, Unavailable

log = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Retries:
    """Which errors are waited for, and how many seconds: each further failure doubles the pause, up to the longest.

    `subject` begins the line that is logged.
    """

    first_pause: float = 0.5
    longest_pause: float = 30.0
    errors: type[DriftlineError] = Unavailable
    subject: str = ""


def stop_on_signals() -> Event:
    """Return an event that is set when SIGTERM or Ctrl-C arrives."""
    stop, received = Event(), SimpleQueue[str]()  # its `put` may interrupt itself, unlike the lock of an event

    def wait() -> None:
        log.info("Stopping (%s).", received.get())
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: received.put(signal.Signals(number).name))
    Thread(target=wait, name="stop", daemon=True).start()
    return stop


def persist(work: Callable[[], T], stop: Event, retries: Retries) -> T | None:
    """Do some work, again after each failure; return its result, None where `stop` is set before it succeeds."""

    def log_failure(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        log.warning("%s%s Trying again in %.1f s.", retries.subject, error, state.upcoming_sleep)

    retrying = Retrying(
        retry=retry_if_exception_type(retries.errors),
        wait=wait_exponential(retries.first_pause, max=retries.longest_pause),
        stop=stop_when_event_set(stop),
        sleep=sleep_using_event(stop),
        before_sleep=log_failure,
        reraise=True,
    )
    try:
        return retrying(lambda: None if stop.is_set() else work())
    except retries.errors:
        return None


def repeat(work: Callable[[], object], every: float, stop: Event, retries: Retries) -> None:
    """Do some work every so many seconds until `stop` is set."""
    while not stop.is_set():
        persist(work, stop, retries)
        stop.wait(every)
