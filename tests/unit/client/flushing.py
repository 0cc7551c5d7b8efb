"""Waits until nothing waits any more."""

from driftline.client import MonitorClient


def flushed(client: MonitorClient, seconds: float = 10) -> bool:
    """Flush again and again, since each call tries at once."""
    return any(client.flush(0.1) for _ in range(int(seconds * 10)))
