"""Waits for a server by asking it, never by sleeping for a fixed time."""

import time
from collections.abc import Callable
from pathlib import Path

from stack.errors import StartFailed

POLL_SECONDS = 0.05


def wait_until_ready(
    name: str, ready: Callable[[], bool], ended_within: Callable[[float], bool], log: Path, seconds: float
) -> None:
    """Return when `ready()` is true.

    `ended_within(t)` waits up to t seconds for the process to end and returns whether it ended.
    Raises `StartFailed` with the last lines of the log if the process ends, or if `seconds` have passed.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if ended_within(POLL_SECONDS):
            raise StartFailed(f"{name} ended while starting. {last_lines(log)}")
        if time.monotonic() > deadline:
            raise StartFailed(f"{name} did not answer within {seconds:.0f} s. {last_lines(log)}")


def last_lines(log: Path, count: int = 15) -> str:
    """Return the last lines of a log, after a line with its path."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n  ".join((f"The last lines of {log}:", *text.splitlines()[-count:]))
