"""The state of a chunk: what a poll reads, and that it ends like one pass over the final rows and labels."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Engine, delete, event, update

from driftline.engine.spec import ModelClock
from driftline.objects import open_store
from driftline.store.database import in_transaction
from driftline.store.rows.removed_rows import remove
from driftline.store.tables import chunk_states, pending_chunks, pending_labels, predictions
from driftline.store.versions import registry
from monitoring.poll import poller
from monitoring.poll.computation import compute
from monitoring.poll.monitored_version import MonitoredVersion
from monitoring.poll.poller import poll_once
from tests.integration.monitoring.world import (
    DAY,
    FIRST,
    NAME,
    NOW,
    SPEC,
    MonitoredWorld,
    reference,
    rows_of,
)


def poll(world: MonitoredWorld) -> int:
    return poll_once(world.engine, NOW, scheduled=False).chunks


def afresh(world: MonitoredWorld) -> dict[str, list[dict[str, Any]]]:
    """What one pass over all that is stored says."""
    world.forget()
    poll(world)
    return world.reported()


@contextmanager
def blobs_read(engine: Engine) -> Iterator[list[str]]:
    """List the content of each blob of batches that is read."""
    read: list[str] = []

    def note(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "batch_data.data" in statement:
            contents = [value for value in parameters.values() if value in {"features", "outputs"}]
            read.extend(contents * cursor.rowcount)

    event.listen(engine, "after_cursor_execute", note)
    try:
        yield read
    finally:
        event.remove(engine, "after_cursor_execute", note)


def test_a_poll_reads_only_new_batches(world: MonitoredWorld) -> None:
    for part in range(4):
        world.predict(0, part=slice(60 * part, 60 * part + 60))
    poll(world)
    world.predict(0, part=slice(240, 300))
    with blobs_read(world.engine) as read:
        assert poll(world) == 1
    assert read.count("features") <= 2
    assert world.reported() == afresh(world)


def test_labels_are_merged_without_reading_a_feature(world: MonitoredWorld) -> None:
    for day in range(4):
        world.predict(day)
    poll(world)
    world.label(1, part=slice(0, 120))
    with blobs_read(world.engine) as read:
        assert poll(world) == 1
    assert set(read) == {"outputs"}
    assert world.reported() == afresh(world)


def test_new_labels_make_again_only_the_parts_of_their_rows(
    world: MonitoredWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("driftline.store.rows.reading.chunk_parts.LARGEST_LABEL_PART", 60)
    for part in range(5):
        world.predict(0, part=slice(60 * part, 60 * part + 60))
    poll(world)
    world.label(0, part=slice(70, 90))
    with blobs_read(world.engine) as read:
        poll(world)
    assert read == ["outputs"]
    assert world.reported() == afresh(world)


def test_revised_labels_replace_the_earlier_ones(world: MonitoredWorld) -> None:
    world.predict(0)
    world.label(0, part=slice(0, 200))
    poll(world)
    world.label(0, part=slice(100, 300), flipped=True)
    world.label(0, part=slice(150, 250))
    poll(world)
    assert world.rows(pending_labels) == []
    assert world.reported() == afresh(world)


def test_removed_rows_make_the_part_of_their_batch_again(world: MonitoredWorld) -> None:
    for part in range(3):
        world.predict(0, part=slice(100 * part, 100 * part + 100))
    world.label(0)
    poll(world)
    before = world.reported()

    def erase(connection: Any) -> None:
        """Erase two rows and their places, as a deletion would."""
        number, removed = 2, ["2026-02-01/0110", "2026-02-01/0140"]
        rows = connection.execute(predictions.select().where(predictions.c.id.in_(removed))).mappings().all()
        places = pd.DataFrame(
            {
                "batch_number": [row["batch_number"] for row in rows],
                "batch_position": [row["position"] for row in rows],
                "id": [None] * len(rows),
            }
        )
        remove(connection, world.version.model_number, places, number)
        connection.execute(delete(predictions).where(predictions.c.id.in_(removed)))

    in_transaction(world.engine, erase)
    world.label(0, part=slice(0, 1), flipped=True)
    poll(world)
    assert world.reported() != before
    assert {row["rows_seen"] for row in world.reported()["chunks"]} == {298}
    assert world.reported() == afresh(world)


@pytest.mark.parametrize("changed", [{"format": "0"}, {"spec_revision": 0}, {"chunk_end": FIRST.replace(tzinfo=None)}])
def test_a_state_that_is_not_of_this_code_and_spec_is_made_again(
    world: MonitoredWorld, changed: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "monitoring.poll.results.summary_store")
    world.predict(0, part=slice(0, 100))
    poll(world)
    assert "read again" not in caplog.text
    with world.engine.begin() as connection:
        connection.execute(update(chunk_states).values(**changed, data=b"of another code"))
    world.predict(0, part=slice(100, 300))
    poll(world)
    assert "the state (features) of the chunk of 2026-02-01T00:00:00+00:00 is of another version" in caplog.text
    assert world.reported() == afresh(world)


def test_a_day_that_loses_all_rows_says_so(world: MonitoredWorld) -> None:
    world.predict(0)
    poll(world)
    frame = rows_of(FIRST, 300, seed=2)
    places = pd.DataFrame({"batch_number": 1, "batch_position": range(len(frame)), "id": None})
    in_transaction(world.engine, lambda connection: remove(connection, world.version.model_number, places, 1))
    world.label(0, part=slice(0, 1))
    poll(world)
    assert [(row["rows_seen"], row["current"]) for row in world.reported()["chunks"]] == [(0, True)]


def test_a_poll_loads_only_models_that_have_news(world: MonitoredWorld, tmp_path: Path) -> None:
    for number in range(6):
        spec = SPEC.model_copy(update={"clock": ModelClock.WALL if number % 2 else ModelClock.DATA})
        candidate = registry.Candidate(f"other_{number}", spec, "b" * 64, reference(), None, {})
        registry.register(world.engine, candidate, open_store(tmp_path), NOW)
        store = registry.load(world.engine, f"other_{number}").store
        frame = rows_of(NOW.replace(hour=0), 60, seed=3)
        in_transaction(world.engine, lambda c, s=store, n=number, f=frame: s.write(c, f"other/{n}", f, NOW))  # type: ignore[misc]
    assert poll(world) == 6
    assert len(world.rows(pending_chunks)) == 6
    world.predict(0)
    summary = poll_once(world.engine, NOW, scheduled=True)
    assert [(model_poll.name, len(model_poll.outcomes)) for model_poll in summary.polls] == [(NAME, 1)]
    later = poll_once(world.engine, NOW + 2 * DAY, scheduled=True)
    assert [model_poll.name for model_poll in later.polls] == ["other_1", "other_3", "other_5"]


def test_versions_take_turns(world: MonitoredWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = registry.Candidate("second", SPEC, "b" * 64, reference(), None, {})
    registry.register(world.engine, candidate, open_store(tmp_path), NOW)
    store = registry.load(world.engine, "second").store
    for day in range(3):
        world.predict(day, 60)
    frame = rows_of(FIRST, 60, seed=2)
    in_transaction(world.engine, lambda connection: store.write(connection, "second", frame, NOW))
    turns: list[str] = []

    def noted(connection: Any, monitored: MonitoredVersion, *arguments: Any, **keywords: Any) -> Any:
        turns.append(monitored.name)
        return compute(connection, monitored, *arguments, **keywords)

    monkeypatch.setattr(poller, "compute", noted)
    poll(world)
    assert turns == [NAME, "second", NAME, NAME]
