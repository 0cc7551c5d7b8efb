"""How often each client may ask: so many requests in each second, minute or hour, counted in memory. No I/O here."""

import math
from collections import Counter
from collections.abc import Callable
from threading import Lock

SECONDS = {"second": 1, "minute": 60, "hour": 3600}


class RateLimit:
    """Counts by client in windows that follow one another; a new window forgets the last. Safe for threads."""

    def __init__(self, rate: str, monotonic: Callable[[], float]) -> None:
        """Take a rate such as `600/minute`, and what tells the seconds."""
        most, _, unit = rate.partition("/")
        self.most, self.seconds = int(most), SECONDS[unit]
        self._monotonic, self._lock = monotonic, Lock()
        self._window, self._counts = 0, Counter[str]()

    def wait(self, client: str) -> int | None:
        """Count a request; give the whole seconds until the client may ask again, or None where it may now."""
        now = self._monotonic()
        window = int(now // self.seconds)
        with self._lock:
            if window != self._window:
                self._window = window
                self._counts.clear()
            self._counts[client] += 1
            if self._counts[client] <= self.most:
                return None
        return max(1, math.ceil((window + 1) * self.seconds - now))
