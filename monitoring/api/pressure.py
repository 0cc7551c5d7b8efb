"""A limit on the batches that are worked on at a time: each takes memory, processor and locks of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from threading import BoundedSemaphore

from driftline.http.access import Refusal

MOST_BATCHES = 3
WAIT_SECONDS = 10.0


class TooManyBatches(Refusal):
    """Other batches are being stored; wait for the seconds in Retry-After and send this one again."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class Pressure:
    """Lets a few batches in, and others wait for a while. Thread-safe."""

    def __init__(self, most: int = MOST_BATCHES, wait_seconds: float = WAIT_SECONDS) -> None:
        """Take how many batches are worked on at a time, and how long a further one waits."""
        self._slots, self._wait_seconds = BoundedSemaphore(most), wait_seconds

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one of the slots.

        Raises:
            TooManyBatches: none became free in time.
        """
        if not self._slots.acquire(timeout=self._wait_seconds):
            raise TooManyBatches(headers=(("Retry-After", "2"),))
        try:
            yield
        finally:
            self._slots.release()
