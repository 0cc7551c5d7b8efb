"""The history of each supervised process: its starts, its ends, and its next start; and its file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

FIRST_DELAY, LONGEST_DELAY = timedelta(seconds=0.5), timedelta(seconds=60)
STEADY = timedelta(seconds=60)
"""A process that ran for so long did not fail to start: the next delay is the first one again."""
LOOP = 5
"""So many short runs in a row are a crash loop."""


@dataclass(frozen=True)
class ProcessHistory:
    """The starts and ends of one process since the last `make down`.

    Attributes:
        starts: how often it was started, on request or again.
        pid: its process; None before the first start, or if that failed.
        started_at: when it was last started.
        restarts: how often it was started again after it had ended by itself.
        short_runs: how many runs in a row were shorter than `STEADY`.
        ended_at, reason: its last end, and why it ended.
        due_at: when it is started again; None while it runs, or if it is not supervised.
    """

    starts: int = 0
    pid: int | None = None
    started_at: datetime | None = None
    restarts: int = 0
    short_runs: int = 0
    ended_at: datetime | None = None
    reason: str | None = None
    due_at: datetime | None = None

    @property
    def is_crash_loop(self) -> bool:
        """Whether it keeps ending soon after each start."""
        return self.short_runs >= LOOP

    def started(self, pid: int | None, now: datetime) -> Self:
        """Return the history after a start; a restart is one that was due."""
        restarts = self.restarts + (self.due_at is not None)
        return replace(self, starts=self.starts + 1, pid=pid, started_at=now, restarts=restarts, due_at=None)

    def ended(self, reason: str, now: datetime, *, restarted: bool) -> Self:
        """Return the history after an end, with the next start if the process is `restarted`."""
        is_short = self.started_at is None or now - self.started_at < STEADY
        short_runs = 0 if not restarted else self.short_runs + 1 if is_short else 1
        due_at = now + delay(short_runs) if restarted else None
        return replace(self, ended_at=now, reason=reason, short_runs=short_runs, due_at=due_at)

    def forgotten(self) -> Self:
        """Return the history of a process that is stopped on request."""
        return type(self)(starts=self.starts)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read a history from decoded JSON."""
        instants = ("started_at", "ended_at", "due_at")
        return cls(**{**stored} | {name: _instant(stored[name]) for name in instants})


def delay(short_runs: int) -> timedelta:
    """Return how long to wait before the next start, after so many short runs in a row."""
    doublings = min(max(short_runs - 1, 0), 10)
    return min(FIRST_DELAY * (1 << doublings), LONGEST_DELAY)


def read(file: Path) -> dict[str, ProcessHistory]:
    """Return the histories of a file by the names of processes; empty without the file."""
    try:
        stored = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    return {name: ProcessHistory.from_json(history) for name, history in stored.items()}


def write(file: Path, histories: Mapping[str, ProcessHistory]) -> None:
    """Write the histories, in one atomic step."""
    staged = file.with_suffix(".partial")
    stored = {name: asdict(history) for name, history in histories.items()}
    staged.write_text(json.dumps(stored, indent=2, default=datetime.isoformat) + "\n")
    staged.replace(file)


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
