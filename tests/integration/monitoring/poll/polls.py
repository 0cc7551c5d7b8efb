"""What the tests of the poll share: rows of days, polls of them, and what is stored afterwards."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from driftline.store.model_numbers import lock_version
from driftline.store.tables import chunk_revisions, verdicts
from driftline.store.version_key import VersionKey
from monitoring.poll import computation
from monitoring.poll.outcomes import PollOutcome
from monitoring.poll.poller import poll_once
from tests.integration.monitoring.world import FIRST, NOW, MonitoredWorld

on_mariadb = pytest.mark.parametrize("database", ["mariadb"], indirect=True)
"""For tests of calendars, clocks and verdicts, whose statements other tests run on both servers."""


def poll(world: MonitoredWorld, *, scheduled: bool = False) -> PollOutcome:
    return poll_once(world.engine, NOW, scheduled=scheduled)


def filled(world: MonitoredWorld, days: int, labelled: int) -> None:
    for day in range(days):
        world.predict(day)
    for day in range(labelled):
        world.label(day)


def revisions(world: MonitoredWorld) -> dict[int, list[int]]:
    """The revision numbers of each day."""
    numbers: dict[int, list[int]] = {}
    for row in world.rows(chunk_revisions):
        numbers.setdefault((row["chunk_start"] - FIRST.replace(tzinfo=None)).days, []).append(row["revision"])
    return numbers


def provisional(world: MonitoredWorld) -> list[int]:
    """The days whose verdict may yet turn."""
    open_verdicts = [row for row in world.rows(verdicts) if row["current"] and row["provisional"]]
    return [(row["chunk_start"] - FIRST.replace(tzinfo=None)).days for row in open_verdicts]


def before_the_lock(monkeypatch: pytest.MonkeyPatch, happening: Callable[[], object]) -> None:
    """Let something happen once, between what the next poll reads and its taking of the version's lock."""

    def late(connection: Connection, key: VersionKey) -> bool:
        monkeypatch.setattr(computation, "lock_version", lock_version)
        happening()
        return lock_version(connection, key)

    monkeypatch.setattr(computation, "lock_version", late)
