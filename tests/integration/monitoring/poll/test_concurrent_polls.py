"""Polls beside other polls and transactions: none reverts another, and a lock delays only what it holds."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text, update

from driftline.engine.spec import ModelClock
from driftline.objects import open_store
from driftline.store import database
from driftline.store.database import in_transaction
from driftline.store.polling import pending_chunks as chunk_queue
from driftline.store.tables import chunk_revisions, models, pending_chunks, pending_labels
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry
from monitoring.poll import touched_chunks, uncomputed_labels
from monitoring.poll.computation import compute
from monitoring.poll.monitored_version import MonitoredVersion
from monitoring.poll.poller import SMALL_CHUNK_VALUES, poll_once
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.poll.polls import before_the_lock, filled, poll, provisional
from tests.integration.monitoring.world import (
    DAY,
    FIRST,
    NAME,
    NOW,
    SPEC,
    MonitoredWorld,
    make_world,
    reference,
    rows_of,
)


def test_a_verdict_waits_for_a_chunk_of_another_poller(world: MonitoredWorld) -> None:
    filled(world, days=3, labelled=0)
    poll(world)
    for day in (3, 4, 5):
        world.predict(day, shift=2.0 if day < 5 else 0.0)
    touched_chunks.queue_touched_chunks(world.engine)
    monitored = MonitoredVersion(world.engine, world.version.name, VersionKey(world.version.model_number, 1))
    with ThreadPoolExecutor(1) as pool:
        with world.engine.begin() as connection:
            claim = chunk_queue.claim(connection, monitored.key, FIRST + 5 * DAY, FIRST + 2 * DAY, None)
            assert claim == chunk_queue.Claim(FIRST + 3 * DAY)
            compute(connection, monitored, claim, lambda: NOW, scheduled=False)
            other = pool.submit(poll, world)
            with pytest.raises(TimeoutError):
                other.result(timeout=1.0)
        other.result()
    assert world.states()[4] == "warn"


def test_an_overtaken_poll_does_not_revert_a_verdict(world: MonitoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(world, days=6, labelled=6)
    poll(world)
    assert provisional(world) == [2, 3, 4, 5]
    world.label(3, flipped=True)

    def overtake() -> None:
        world.predict(12)
        poll(world)

    before_the_lock(monkeypatch, overtake)
    poll(world)
    overtaken = world.reported()
    assert provisional(world) == [12]
    world.forget()
    poll(world)
    assert world.reported() == overtaken


def test_an_overtaken_poll_reads_the_wall_again_under_the_lock(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(engine, tmp_path, SPEC.model_copy(update={"clock": ModelClock.WALL}))
    world.predict(0)
    world.predict(1)
    world.label(1)
    early, late = FIRST + 2 * DAY, FIRST + 9 * DAY
    poll_once(engine, early, scheduled=False)
    world.label(0)
    touched_chunks.queue_touched_chunks(engine)
    monitored = MonitoredVersion(engine, NAME, VersionKey(world.version.model_number, 1))
    verdict_rows = [early]

    def overtake() -> None:
        poll_once(engine, late, scheduled=False)
        verdict_rows.append(late)

    before_the_lock(monkeypatch, overtake)
    with engine.begin() as connection:
        claim = chunk_queue.claim(connection, monitored.key, early, None, None)
        assert claim == chunk_queue.Claim(FIRST)
        compute(connection, monitored, claim, lambda: verdict_rows[-1], scheduled=False)
    assert provisional(world) == []


def wait_briefly(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new connections wait a second for a lock, the shortest that both servers know, and be retried once."""
    monkeypatch.setattr(database, "ATTEMPTS", 2)

    @event.listens_for(engine, "connect")
    def shorten(connection: Any, _: object) -> None:
        connection.cursor().execute("SET SESSION innodb_lock_wait_timeout = 1")

    engine.dispose()


def test_a_locked_chunk_waits_and_stops_no_other(world: MonitoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(world, days=4, labelled=0)
    poll(world)
    world.label(1)
    world.label(2)
    wait_briefly(world.engine, monkeypatch)
    of_day = chunk_revisions.c.chunk_start == (FIRST + DAY).replace(tzinfo=None)
    with world.engine.begin() as holder:
        holder.execute(select(chunk_revisions).where(of_day).with_for_update())
        summary = poll(world, scheduled=True)
        assert (summary.chunks, summary.failed) == (1, 1)
    (locked,) = [row for row in world.rows(pending_chunks) if row["attempts"]]
    assert locked["chunk_start"] == (FIRST + DAY).replace(tzinfo=None)
    assert locked["last_error"].startswith("Other transactions lock the required rows")
    assert poll(world).revisions == 1


def test_a_locked_model_keeps_no_other_waiting(
    world: MonitoredWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of the first model are locked, its pending chunk and its record of labels: the second one is computed."""
    filled(world, days=2, labelled=0)
    poll(world)
    second = other_model(world, tmp_path)
    world.label(0)
    world.label(1)
    second()
    wait_briefly(world.engine, monkeypatch)
    with world.engine.begin() as holder:
        holder.execute(select(models).where(models.c.name == NAME).with_for_update())
        outcome = poll(world, scheduled=True)
    assert [(version.name, len(version.outcomes)) for version in outcome.polls] == [("second", 1)]
    assert (outcome.batches, outcome.failed) == (1, 0)
    assert poll(world).chunks == 2


def other_model(world: MonitoredWorld, objects: Path) -> Callable[[], object]:
    """Register a second model; return what writes its first day."""
    candidate = registry.Candidate("second", SPEC, "b" * 64, reference(), None, {})
    registry.register(world.engine, candidate, open_store(objects), NOW)
    store, frame = registry.load(world.engine, "second").store, rows_of(FIRST, 60, seed=2)
    return lambda: in_transaction(world.engine, lambda connection: store.write(connection, "second", frame, NOW))


def test_a_slow_version_occupies_one_process(world: MonitoredWorld, tmp_path: Path, database: DatabaseAddress) -> None:
    """One process waits inside the first of two chunks of a large version; the other leaves both, and does the rest."""
    filled(world, days=3, labelled=0)
    poll(world)
    large = update(chunk_revisions).values(rows_seen=SMALL_CHUNK_VALUES)
    with world.engine.begin() as connection:
        connection.execute(large)
    second = other_model(world, tmp_path)
    world.label(0)
    world.label(1)
    environment = {**os.environ, **database.environment(), "PYTHONPATH": "src"}
    with world.engine.begin() as holder:
        holder.execute(select(chunk_revisions.c.revision).with_for_update())
        slow = subprocess.Popen([sys.executable, "-c", ONE_POLL], cwd=Path(__file__).parents[4], env=environment)
        until(lambda: waits_for_a_lock(world))
        second()
        outcome = poll(world, scheduled=True)
    assert [(version.name, len(version.outcomes)) for version in outcome.polls] == [("second", 1), (NAME, 0)]
    assert slow.wait(60) == 0
    assert [row["rows_labelled"] for row in world.rows(chunk_revisions) if row["current"]] == [300, 300, 0, 0]


ONE_POLL = """
from datetime import datetime, UTC
from driftline.store.database import make_engine
from driftline.settings import DatabaseSettings
from monitoring.poll.poller import poll_once
done = poll_once(make_engine(DatabaseSettings()), datetime(2026, 3, 1, 12, tzinfo=UTC), scheduled=True)
assert (done.chunks, done.failed) == (2, 0), done
"""


def waits_for_a_lock(world: MonitoredWorld) -> bool:
    """Return whether a transaction waits for rows that another one has locked."""
    waiting = text("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
    with world.engine.connect() as connection:
        return bool(connection.execute(waiting).scalar_one())


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, "it did not come true within 30 seconds"
        time.sleep(0.2)  # MySQL's list of transactions is renewed only where nobody has read it for 0.1 s


def test_results_do_not_wait_for_newer_labels(world: MonitoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(world, days=1, labelled=1)
    touched_chunks.queue_touched_chunks(world.engine)
    wait_briefly(world.engine, monkeypatch)
    with world.engine.begin() as holder:
        uncomputed_labels.record(holder, VersionKey(world.version.model_number, 1), {FIRST}, 1_000_000)
        summary = poll(world)
        assert (summary.chunks, summary.failed) == (1, 0)
    assert [row["batch_number"] for row in world.rows(pending_labels)] == [1_000_000]
