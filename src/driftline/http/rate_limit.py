"""A rate limit per client: a number of requests per second, minute or hour, counted in memory. No I/O here."""

import math
from collections import Counter
from collections.abc import Callable
from threading import Lock

SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class RateLimit:
    """Counts of requests by client in consecutive fixed windows. Thread-safe."""

    def __init__(self, rate: str, monotonic: Callable[[], float]) -> None:
        """Take a rate such as `600/minute` and a clock that returns seconds."""
        max_requests, _, unit = rate.partition("/")
        self.max_requests, self.seconds = int(max_requests), SECONDS[unit]
        self._monotonic, self._lock = monotonic, Lock()
        self._window, self._counts = 0, Counter[str]()

    def seconds_to_wait(self, client: str) -> int | None:
        """Count a request; return the whole seconds until the next window if it exceeds the limit, else None."""
        now = self._monotonic()
        window = int(now // self.seconds)
        with self._lock:
            if window != self._window:
                self._window = window
                self._counts.clear()
            self._counts[client] += 1
            if self._counts[client] <= self.max_requests:
                return None
        return max(1, math.ceil((window + 1) * self.seconds - now))
