"""A limit on the batches that are worked on at a time: each takes memory, processor and locks of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import BoundedSemaphore

from driftline.http.access import Refusal

MOST_BATCHES = 3
MOST_WAITING = 3
"""How many further batches wait; with those worked on, fewer than the requests that the server works on at a time."""
WAIT_SECONDS = 10.0


class TooManyBatches(Refusal):
    """Other batches are being stored; wait for the seconds in Retry-After and send this one again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class Pressure:
    """Lets a few batches in, a few others wait for a while, and refuses the rest at once. Thread-safe."""

    def __init__(
        self, most: int = MOST_BATCHES, wait_seconds: float = WAIT_SECONDS, most_waiting: int = MOST_WAITING
    ) -> None:
        """Take how many batches are worked on at a time, and how many further ones wait, and how long."""
        self._slots, self._wait_seconds = BoundedSemaphore(most), wait_seconds
        self._places = BoundedSemaphore(most + most_waiting)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots.

        Raises:
            TooManyBatches: none became free in time, or too many others wait.
        """
        with _hold(self._places, 0.0), _hold(self._slots, self._wait_seconds):
            yield


@contextmanager
def _hold(semaphore: BoundedSemaphore, wait_seconds: float) -> Iterator[None]:
    """Hold a place of a semaphore; raise TooManyBatches where none becomes free in time."""
    if not semaphore.acquire(timeout=wait_seconds):
        raise TooManyBatches(headers=(("Retry-After", "2"),))
    try:
        yield
    finally:
        semaphore.release()
