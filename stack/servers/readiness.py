"""Waiting for a server by asking it, never by sleeping for a while and hoping."""

import time
from collections.abc import Callable
from pathlib import Path

from stack.errors import StartFailed

POLL_SECONDS = 0.05


def wait_until_ready(
    name: str, ready: Callable[[], bool], ended_within: Callable[[float], bool], log: Path, seconds: float
) -> None:
    """Return when `ready` says so.

    `ended_within(t)` waits up to t seconds for the process's end and tells whether it came.
    Raises `StartFailed` with the log's last lines when the process ends or `seconds` have passed.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if ended_within(POLL_SECONDS):
            raise StartFailed(f"{name} ended while starting. {last_lines(log)}")
        if time.monotonic() > deadline:
            raise StartFailed(f"{name} did not answer within {seconds:.0f} s. {last_lines(log)}")


def last_lines(log: Path, count: int = 15) -> str:
    """The last lines of a log under the log's name."""
    text = log.read_text(errors="replace") if log.exists() else ""
    return "\n  ".join((f"The last lines of {log}:", *text.splitlines()[-count:]))
