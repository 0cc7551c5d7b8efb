"""Laws of the poll on real servers: however often, by whom and with what interruptions, the end is the same."""

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Select, event, func, select

from driftline.clock import utc_now
from driftline.store import ledger
from driftline.store.polling import pending_chunks as chunk_queue
from driftline.store.tables import chunk_revisions, pending_chunks
from monitoring.poll import touched_chunks
from monitoring.poll.poller import poll_once
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.world import NOW, MonitoredWorld
from tests.integration.simulated_kill import SimulatedKill, killed_at

Step = Callable[[], None]


def poll(world: MonitoredWorld) -> None:
    poll_once(world.engine, NOW, scheduled=False)


def steps(world: MonitoredWorld, seed: int) -> list[Step]:
    """All batches of seven days, in an order that no clock would give: some drifted, some labels wrong or late."""
    schedule: list[Step] = []
    for day in range(7):
        shift = 2.0 if day in (3, 4) else 0.0
        for part in (slice(0, 90), slice(90, 200)):
            schedule.append(partial(world.predict, day, 200, shift=shift, part=part))
            if day != 5:
                schedule.append(partial(world.label, day, 200, part=part, flipped=day in (1, 2)))
    random.Random(seed).shuffle(schedule)
    return schedule


@pytest.mark.parametrize(("database", "seed"), [("mariadb", 1), ("mysql", 1), ("mariadb", 2)], indirect=["database"])
def test_polling_after_every_batch_equals_one_poll_at_the_end(world: MonitoredWorld, seed: int) -> None:
    for number, step in enumerate(steps(world, seed)):
        step()
        poll_once(world.engine, NOW, scheduled=number % 3 > 0)
    poll(world)
    often = world.reported()
    assert {row["state"] for row in often["verdicts"]} >= {"ok", "alert", "pending_labels"}
    world.forget()
    poll(world)
    assert world.reported() == often


@pytest.mark.kills
def test_a_kill_between_any_two_writes_changes_nothing(world: MonitoredWorld) -> None:
    for step in steps(world, 3):
        step()
    poll(world)
    undisturbed = world.reported()
    seams = [(ledger, "settle"), (chunk_queue, "queue"), (chunk_queue, "settle"), (chunk_queue, "claim")]
    for module, name in seams:
        world.forget()
        for call in (1, 2, 4):
            with killed_at(module, name, call), pytest.raises(SimulatedKill):
                poll(world)
        poll(world)
        assert world.reported() == undisturbed, name


def test_two_pollers_at_once_compute_each_chunk_once(world: MonitoredWorld) -> None:
    for step in steps(world, 4):
        step()
    touched_chunks.queue_touched_chunks(world.engine)
    ready = threading.Barrier(2)

    def poll_alone() -> int:
        ready.wait()
        return poll_once(world.engine, NOW, scheduled=False).chunks

    with ThreadPoolExecutor(2) as pool:
        chunks = [future.result() for future in [pool.submit(poll_alone), pool.submit(poll_alone)]]
    assert sum(chunks) == 7
    together = world.reported()
    world.forget()
    poll(world)
    assert world.reported() == together


def test_two_pollers_and_a_writer_end_like_one_poll(world: MonitoredWorld) -> None:
    finished = threading.Event()

    def keep_polling() -> None:
        while not finished.is_set():
            poll(world)

    with ThreadPoolExecutor(2) as pool:
        pollers = [pool.submit(keep_polling), pool.submit(keep_polling)]
        try:
            for step in steps(world, 5):
                step()
        finally:
            finished.set()
        for poller in pollers:
            poller.result()
    poll(world)
    together = world.reported()
    world.forget()
    poll(world)
    assert world.reported() == together


@pytest.mark.kills
def test_a_killed_process_leaves_no_partial_result(world: MonitoredWorld, database: DatabaseAddress) -> None:
    """Two pollers share the work; the other one computes what a killed one leaves, and stops on SIGTERM."""
    for step in steps(world, 6):
        step()
    environment = {**os.environ, **database.environment(), "MONITOR_POLL_SECONDS": "0.1"}
    command, root = [sys.executable, "-m", "monitoring", "poll"], Path(__file__).parents[3]
    pollers = [subprocess.Popen(command, cwd=root, env=environment) for _ in range(2)]
    try:
        _wait_for_chunks(world, 2)
        pollers[0].kill()
        _wait_for_chunks(world, 7)
        _wait_for_none_due(world)
        pollers[1].terminate()
        assert pollers[1].wait(30) == 0
    finally:
        for poller in pollers:
            poller.kill()
            poller.wait()
    killed = world.reported()
    world.forget()
    poll_once(world.engine, utc_now(), scheduled=True)
    assert world.reported() == killed


def _wait_for_chunks(world: MonitoredWorld, number: int) -> None:
    _wait_until(world, select(func.count() >= number).select_from(chunk_revisions))


def _wait_for_none_due(world: MonitoredWorld) -> None:
    due = pending_chunks.c.due_at.is_(None)
    _wait_until(world, select(func.count() == 0).select_from(pending_chunks).where(due))


def _wait_until(world: MonitoredWorld, statement: Select[tuple[bool]]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with world.engine.connect() as connection:
            if connection.execute(statement).scalar_one():
                return
        time.sleep(0.02)
    pytest.fail("the other processes computed nothing")


@contextmanager
def counted(engine: Engine) -> Iterator[dict[str, int]]:
    """Count statements, and the rows that they give or change."""
    counts = {"statements": 0, "rows": 0}

    def count(_connection: Any, cursor: Any, *_: Any) -> None:
        counts["statements"] += 1
        counts["rows"] += max(cursor.rowcount, 0)

    event.listen(engine, "after_cursor_execute", count)
    try:
        yield counts
    finally:
        event.remove(engine, "after_cursor_execute", count)


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_the_cost_of_a_poll_does_not_follow_the_history(world: MonitoredWorld) -> None:
    """What is counted does not depend on the server; all but the last days of the history are polled at once."""
    costs = []
    for day in range(37):
        world.predict(day, 60)
        if day >= 3:
            world.label(day - 3, 60)
        if day >= 32:
            with counted(world.engine) as counts:
                poll(world)
            costs.append((counts["statements"], counts["rows"]))
    assert len(set(costs[1:])) == 1, costs
    assert costs[1] < costs[0]
