"""Odd times: a version that is switched inside a chunk, and a wall clock that jumps forward and back."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from driftline.engine.spec import ModelClock
from driftline.objects import open_store
from driftline.store.database import in_transaction
from driftline.store.tables import chunk_revisions, results
from driftline.store.versions import registry
from monitoring.poll.poller import poll_once
from stack.testing.fixtures import DatabaseAddress
from tests.integration.monitoring.world import DAY, FIRST, NAME, NOW, SPEC, make_world, reference, rows_of


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    """One server is enough: nothing here depends on the server's kind."""
    return mariadb


def test_a_version_that_is_switched_inside_a_chunk(engine: Engine, tmp_path: Path) -> None:
    """The rows of a day are those of version 1 until noon: each version has a chunk of its rows and their labels."""
    world = make_world(engine, tmp_path)
    candidate = registry.Candidate(NAME, SPEC, "b" * 64, reference(), None, {})
    assert registry.register(engine, candidate, open_store(tmp_path), NOW) == 2
    frame = rows_of(FIRST, 300, seed=2)
    frame.loc[120:, "model_version"] = 2
    frame.loc[120:, "event_time"] = FIRST + timedelta(hours=12)
    in_transaction(engine, lambda connection: world.store.write(connection, "switched", frame, NOW))
    world.label(0)
    outcome = poll_once(engine, NOW, scheduled=False)
    assert (outcome.chunks, outcome.failed) == (2, 0)
    stored = {row["model_version"]: (row["rows_seen"], row["rows_labelled"]) for row in world.rows(chunk_revisions)}
    assert stored == {1: (120, 120), 2: (180, 180)}
    with engine.connect() as connection:
        realized = select(results.c.model_version, results.c.rows_used).where(
            results.c.kind == "realized", results.c.method == "accuracy"
        )
        assert dict(connection.execute(realized).tuples().all()) == {1: 120, 2: 180}


def test_a_wall_clock_that_jumps_forward_and_back(engine: Engine, tmp_path: Path) -> None:
    """A month ahead, the day closes and its labels are overdue; back again, it stays closed and takes its labels."""
    world = make_world(engine, tmp_path, SPEC.model_copy(update={"clock": ModelClock.WALL}))
    world.predict(0)
    noon = FIRST + DAY / 2
    poll_once(engine, noon, scheduled=True)
    assert [row["closed"] for row in world.rows(chunk_revisions)] == [0]
    poll_once(engine, noon + 30 * DAY, scheduled=True)
    assert ([row["closed"] for row in world.rows(chunk_revisions)], world.states()) == ([1], {0: "pending_labels"})
    world.label(0)
    poll_once(engine, noon, scheduled=True)
    current = [(row["revision"], row["closed"], row["rows_labelled"]) for row in world.rows(chunk_revisions)]
    assert current == [(1, 1, 0), (2, 1, 300)]
    poll_once(engine, noon + 30 * DAY, scheduled=True)
    assert world.states() == {0: "ok"}
