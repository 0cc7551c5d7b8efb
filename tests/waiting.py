"""Waiting for something that happens elsewhere: in another thread, process or server."""

import time
from collections.abc import Callable
from typing import TypeVar

SECONDS = 60.0
T = TypeVar("T")


def wait_until(condition: Callable[[], T], seconds: float = SECONDS, *, every: float = 0.02) -> T:
    """Return what the condition gives once it is true; fail after some seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every)
    return value
