"""The poll on real servers: what it computes, revises and leaves alone."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
from sqlalchemy import Engine

from driftline.engine.spec import ModelClock
from driftline.objects import open_store
from driftline.store import removal
from driftline.store.database import in_transaction
from driftline.store.model_numbers import ensure_model
from driftline.store.polling import pending_chunks as chunk_queue
from driftline.store.rows import labels
from driftline.store.tables import chunk_revisions, pending_chunks, results, verdicts
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry
from monitoring.poll.poller import poll_once
from tests.integration.monitoring.poll.polls import filled, on_mariadb, poll, revisions
from tests.integration.monitoring.world import DAY, FIRST, NAME, NOW, SPEC, MonitoredWorld, make_world, reference


def test_a_first_poll_computes_every_chunk(world: MonitoredWorld) -> None:
    filled(world, days=6, labelled=3)
    summary = poll(world)
    assert (summary.batches, summary.chunks, summary.revisions, summary.failed) == (9, 6, 0, 0)
    assert world.states() == {0: "ok", 1: "ok"} | dict.fromkeys((2, 3, 4, 5), "pending_labels")


def test_a_poll_without_pending_work_does_nothing(world: MonitoredWorld) -> None:
    summary = poll(world)
    assert (summary.batches, summary.outcomes) == (0, ())


def test_replaying_changes_nothing(world: MonitoredWorld) -> None:
    stored_tables = (chunk_revisions, results, verdicts, pending_chunks)
    filled(world, days=6, labelled=5)
    poll(world)
    before = [world.rows(table) for table in stored_tables]
    filled(world, days=6, labelled=5)
    assert poll(world).outcomes == ()
    with world.engine.begin() as connection:
        chunk_queue.queue_all(connection, VersionKey(world.version.model_number, 1), SPEC)
    again = poll(world)
    assert (len(again.outcomes), again.chunks, again.verdicts) == (6, 0, 0)
    assert [world.rows(table) for table in stored_tables] == before


def test_late_labels_revise_only_their_chunk(world: MonitoredWorld) -> None:
    for day in range(8):
        world.predict(day)
        world.label(day, part=slice(0, 240) if day == 2 else slice(None))
    poll(world)
    assert world.states()[2] == "pending_labels"
    earlier = [row for row in world.rows(results) if row["chunk_start"] == (FIRST + 2 * DAY).replace(tzinfo=None)]
    world.label(2, part=slice(240, 300))
    summary = poll(world)
    assert (summary.chunks, summary.revisions) == (1, 1)
    assert revisions(world) == {day: [1, 2] if day == 2 else [1] for day in range(8)}
    assert world.states()[2] == "ok"
    assert [row for row in world.rows(results) if row in earlier] == earlier
    stored = [row for row in world.rows(verdicts) if row["chunk_start"] == (FIRST + 2 * DAY).replace(tzinfo=None)]
    assert [(row["revision"], row["state"], row["current"]) for row in stored] == [
        (1, "pending_labels", 0),
        (2, "ok", 1),
    ]


def test_a_corrected_label_is_a_revision(world: MonitoredWorld) -> None:
    filled(world, days=6, labelled=6)
    poll(world)
    world.label(1, flipped=True)
    assert poll(world).revisions == 1
    assert world.states()[1] == "alert"


def test_a_change_rederives_verdicts_of_later_chunks(world: MonitoredWorld) -> None:
    for day in (0, 1, 2, 4, 5):
        world.predict(day, shift=2.0 if day == 4 else 0.0)
    poll(world)
    assert world.states()[4] == "pending_labels"
    world.predict(3, shift=2.0)
    summary = poll(world)
    assert (summary.chunks, world.states()[4]) == (1, "warn")
    stored = [row for row in world.rows(verdicts) if row["chunk_start"] == (FIRST + 4 * DAY).replace(tzinfo=None)]
    assert [(row["revision"], row["sequence"], row["current"]) for row in stored] == [(1, 1, 0), (1, 2, 1)]
    assert '"minutes"' in stored[1]["drifted"]


@on_mariadb
def test_settled_chunks_change_a_much_later_verdict(engine: Engine, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path, SPEC.model_copy(update={"alert_budget": None}))
    for day in range(10):
        world.predict(day, slope=0.1 if day == 8 else 1.5)
    poll(world)
    assert world.states()[8] == "warn", "past estimates could not be compared yet"
    for day in range(4):
        world.label(day)
        poll(world)
    assert world.states()[8] == "alert", "past estimates held"
    step_by_step = world.reported()
    world.forget()
    poll(world)
    assert world.reported() == step_by_step


@on_mariadb
def test_an_open_chunk_is_overwritten_in_place_until_it_closes(world: MonitoredWorld) -> None:
    world.predict(0, part=slice(0, 100))
    poll(world)
    world.predict(0, part=slice(100, 105))
    assert poll(world, scheduled=True).left_open == 1
    world.predict(0, part=slice(105, 110))
    assert poll(world, scheduled=True).chunks == 1
    world.predict(0, part=slice(110, 111))
    assert poll(world, scheduled=True).chunks == 0
    assert poll(world).chunks == 1
    world.predict(0, part=slice(111, 112))
    world.predict(1)
    assert poll(world, scheduled=True).chunks == 2
    rows = [(row["revision"], row["rows_seen"], row["closed"]) for row in world.rows(chunk_revisions)]
    assert rows == [(1, 112, 1), (1, 300, 0)]
    world.predict(0, part=slice(112, 300))
    assert poll(world, scheduled=True).revisions == 1
    assert revisions(world) == {0: [1, 2], 1: [1]}


def test_closing_and_label_deadline_need_no_batch(engine: Engine, tmp_path: Path) -> None:
    world = make_world(engine, tmp_path, SPEC.model_copy(update={"clock": ModelClock.WALL}))
    world.predict(0)
    world.label(0)
    noon = FIRST + timedelta(hours=12)
    counts = []
    for days in (0, 1, 2, 3, 4, 5):
        summary = poll_once(engine, noon + days * DAY, scheduled=True)
        rows = world.rows(verdicts)
        counts.append((summary.chunks, len(summary.outcomes), rows[-1]["state"], rows[-1]["provisional"]))
    assert counts == [
        (1, 1, "pending_labels", 1),
        (0, 1, "pending_labels", 1),
        (0, 0, "pending_labels", 1),
        (0, 0, "pending_labels", 1),
        (0, 1, "ok", 0),
        (0, 0, "ok", 0),
    ]
    assert [row["closed"] for row in world.rows(chunk_revisions)] == [1]
    assert world.rows(pending_chunks) == []


def test_labels_of_a_model_without_a_version_are_settled(world: MonitoredWorld) -> None:
    early = pd.DataFrame({"id": ["2026-01-01/1"], "value": [1], "known_at": [pd.Timestamp(NOW)]})
    number = in_transaction(world.engine, lambda connection: ensure_model(connection, "delays", NOW))
    in_transaction(world.engine, lambda connection: labels.write_batch(connection, "l", number, early, NOW))
    assert (poll(world).batches, poll(world).batches) == (1, 0)


def test_labels_may_precede_their_predictions(world: MonitoredWorld) -> None:
    world.label(0)
    poll(world)
    for day in range(5):
        world.predict(day)
    poll(world)
    assert world.states()[0] == "ok"


def test_a_new_spec_revision_computes_every_chunk_again(world: MonitoredWorld) -> None:
    filled(world, days=5, labelled=5)
    poll(world)
    stricter = SPEC.model_copy(update={"minimum_rows": 301})
    registry.revise_spec(world.engine, world.version.name, 1, stricter, NOW)
    assert poll(world).chunks == 5
    assert set(world.states().values()) == {"insufficient"}
    assert revisions(world) == {0: [1, 2], 1: [1, 2], 2: [1, 2], 3: [1, 2], 4: [1]}, "the open one in place"


@on_mariadb
def test_labels_of_a_retired_version_count_after_registration(world: MonitoredWorld, tmp_path: Path) -> None:
    filled(world, days=6, labelled=6)
    poll(world)
    world.label(1, flipped=True)
    removal.retire(world.engine, NAME, 1)
    assert (poll(world).batches, poll(world).outcomes) == (1, ())
    make_world(world.engine, tmp_path)
    assert poll(world).revisions == 1
    assert world.states()[1] == "alert"
    revised = world.reported()
    world.forget()
    poll(world)
    assert world.reported() == revised


@on_mariadb
def test_versions_have_separate_results(world: MonitoredWorld, tmp_path: Path) -> None:
    filled(world, days=3, labelled=0)
    again = registry.Candidate(world.version.name, SPEC, "b" * 64, reference(), None, {})
    assert registry.register(world.engine, again, open_store(tmp_path), NOW) == 2
    summary = poll(world)
    assert [(model_poll.key, len(model_poll.outcomes)) for model_poll in summary.polls] == [
        (VersionKey(world.version.model_number, 1), 3)
    ]
