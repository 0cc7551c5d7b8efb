"""Waits until nothing waits any more, or until something holds."""

import time
from collections.abc import Callable

from driftline.client import MonitorClient


def flushed(client: MonitorClient, seconds: float = 10) -> bool:
    """Flush again and again, since each call tries at once."""
    return any(client.flush(0.1) for _ in range(int(seconds * 10)))


def becomes_true(holds: Callable[[], object], seconds: float = 10) -> bool:
    """Return whether something holds within some seconds."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
