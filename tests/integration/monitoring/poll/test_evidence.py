"""Alerts within a budget on real servers: what the poll stores and replays, in whatever order data comes."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from driftline.engine.results import State
from driftline.report.schema import ChunkBrief
from driftline.store.tables import verdicts
from monitoring.poll import evidence_replay
from monitoring.poll.poller import poll_once
from monitoring.report.chunk_views import ChunkRange, read_chunks
from tests.integration.monitoring.world import DAY, FIRST, NOW, SPEC, MonitoredWorld, make_world

BUDGET = SPEC.model_copy(update={"alert_budget": 1.0})


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> MonitoredWorld:
    return make_world(engine, tmp_path, BUDGET)


def poll(world: MonitoredWorld) -> None:
    poll_once(world.engine, NOW, scheduled=False)


def reasons(world: MonitoredWorld, day: int) -> list[str]:
    """Return the reasons of a day's current verdict."""
    start = (FIRST.replace(tzinfo=None)).replace(day=FIRST.day + day)
    current = [row for row in world.rows(verdicts) if row["current"] and row["chunk_start"] == start]
    assert len(current) == 1
    listed: list[str] = json.loads(current[0]["reasons"])
    return listed


def test_flipped_labels_alert_by_evidence_and_name_it(world: MonitoredWorld) -> None:
    """Two calm days and two with flipped labels: the first flipped one alerts, and says since when."""
    for day in range(8):
        world.predict(day, rows=900)
    for day in range(4):
        world.label(day, rows=900, flipped=day >= 2)
    poll(world)
    assert [world.states()[day] for day in range(3)] == [State.OK, State.OK, State.ALERT]
    assert "since about 3 February 2026" in reasons(world, 2)[0]
    assert reasons(world, 2)[0].endswith("a change this clear turns up by chance at most once a year.")
    with world.engine.connect() as connection:
        views = read_chunks(connection, world.version, NOW, ChunkRange())
    calm, flipped = (ChunkBrief.of(BUDGET, view).evidence for view in (views[0], views[2]))
    assert flipped is not None
    assert flipped.change is not None
    assert (calm, flipped.level, flipped.change.since) == (None, "alert", FIRST + 2 * DAY)
    assert min(flipped.change.log_evidence or 0, flipped.change.share_of_alert or 0) > 1
    assert abs(flipped.change.difference) > 0.1


def test_step_by_step_and_all_at_once_store_the_same(world: MonitoredWorld) -> None:
    """Labels day by day, one of them late and one corrected, give the evidence that one poll of all gives."""
    for day in range(9):
        world.predict(day, rows=900)
        poll(world)
    for day in (0, 2, 3, 1, 4):
        world.label(day, rows=900, flipped=day >= 3)
        poll(world)
    step_by_step = world.reported()
    assert step_by_step["chunks"][3]["evidence"] not in {None, "{}"}
    world.forget()
    poll(world)
    assert world.reported() == step_by_step


def test_pages_change_nothing(world: MonitoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A replay in pages of two chunks stores what one of all chunks does, when an early day is corrected late."""
    for day in range(10):
        world.predict(day, rows=900)
    for day in range(6):
        world.label(day, rows=900, flipped=day >= 4)
    poll(world)
    monkeypatch.setattr(evidence_replay, "PAGE_CHUNKS", 2)
    world.label(0, rows=900, flipped=True)
    poll(world)
    paged = world.reported()
    monkeypatch.undo()
    world.forget()
    poll(world)
    assert world.reported() == paged
    assert world.states()[0] == State.ALERT


def test_late_labels_withdraw_nothing_silently(world: MonitoredWorld) -> None:
    """A corrected day loses its alert; the alert stays in the history of verdicts."""
    for day in range(8):
        world.predict(day, rows=900)
    for day in range(4):
        world.label(day, rows=900, flipped=day == 1)
    poll(world)
    assert world.states()[1] == State.ALERT
    world.label(1, rows=900, again=True)
    poll(world)
    assert world.states()[1] != State.ALERT
    second = FIRST.replace(day=FIRST.day + 1, tzinfo=None)
    states = [row["state"] for row in world.rows(verdicts) if row["chunk_start"] == second]
    assert "alert" in states
