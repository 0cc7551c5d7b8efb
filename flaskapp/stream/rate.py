"""The rate at which records are written. No I/O here."""

from collections import deque
from datetime import datetime

BATCHES = 20


class Rate:
    """Records per second over the last batches that this process wrote."""

    def __init__(self) -> None:
        """Start without a batch."""
        self._written: deque[tuple[datetime, int]] = deque(maxlen=BATCHES)

    def add(self, when: datetime, records: int) -> None:
        """Count a batch written at an instant."""
        self._written.append((when, records))

    def per_second(self) -> float | None:
        """Return the rate; None before the second batch, because no time has passed."""
        if len(self._written) < 2:
            return None
        seconds = (self._written[-1][0] - self._written[0][0]).total_seconds()
        return sum(records for _, records in list(self._written)[1:]) / seconds if seconds > 0 else None
