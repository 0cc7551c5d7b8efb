"""Tells open pages as soon as any verdict changes: a stream of server-sent events."""

import time
from collections.abc import Callable, Generator
from contextlib import suppress
from threading import BoundedSemaphore, Lock

from driftline.errors import DriftlineError

MOST_STREAMS = 8
"""Pages that listen at a time, each of which occupies a thread of the server; others ask again from time to time."""
LOOK_SECONDS = 2.0
"""Seconds between two queries of the database, which serve all pages; a closed page is noticed as late as this."""
STREAM_SECONDS = 45.0
"""How long a stream lasts, less than the server gives a response; the browser opens the next one by itself."""
PAUSE, LONG_PAUSE = 1_000, 15_000
"""After how many milliseconds a browser opens the next stream: as a rule, and where too many pages listen."""
COMMENT = ":\n\n"
"""A comment, which a browser ignores: writing it fails where the page was closed."""


class Changes:
    """The number of the newest verdict event, and the streams that tell it; safe to use from several threads."""

    def __init__(self, read: Callable[[], int], monotonic: Callable[[], float] = time.monotonic) -> None:
        """Take what reads the number, and a clock."""
        self._read, self._monotonic = read, monotonic
        self._lock, self._places = Lock(), BoundedSemaphore(MOST_STREAMS)
        self._newest: int | None = None
        self._until = float("-inf")

    def stream(self, wait: Callable[[float], bool]) -> Generator[str, None, None]:
        """Yield the number, and again when it has changed; `wait` waits some seconds, and returns whether to stop."""
        has_place = self._places.acquire(blocking=False)
        try:
            newest = self._current()
            yield f"retry: {PAUSE if has_place else LONG_PAUSE}\n{_event(newest)}"
            end = self._monotonic() + STREAM_SECONDS
            while has_place and self._monotonic() < end and not wait(LOOK_SECONDS):
                previous, newest = newest, self._current()
                yield COMMENT if newest == previous else _event(newest)
        finally:
            if has_place:
                self._places.release()

    def _current(self) -> int | None:
        """Return the number; while the database does not answer, the one that was read last."""
        with self._lock:
            if self._monotonic() >= self._until:
                with suppress(DriftlineError):
                    self._newest = self._read()
                self._until = self._monotonic() + LOOK_SECONDS / 2
            return self._newest


def _event(newest: int | None) -> str:
    return COMMENT if newest is None else f"data: {newest}\n\n"
