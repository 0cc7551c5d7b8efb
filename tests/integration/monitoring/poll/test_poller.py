"""The poll on real servers: what it computes, says, revises, leaves alone and survives."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import Connection, Engine, event, select, text, update

from driftline.engine.results import State
from driftline.engine.spec import ModelClock, Period
from driftline.objects import open_store
from driftline.store import database, removal
from driftline.store.database import in_transaction
from driftline.store.model_numbers import ensure_model, lock_version
from driftline.store.polling import pending_chunks as chunk_queue
from driftline.store.rows import labels
from driftline.store.tables import (
    batch_data,
    chunk_revisions,
    models,
    pending_chunks,
    pending_labels,
    results,
    spec_revisions,
    verdicts,
)
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry
from monitoring.poll import computation, relabelled_chunks, touched_chunks
from monitoring.poll.computation import compute
from monitoring.poll.monitored_version import MonitoredVersion
from monitoring.poll.poller import SMALL_CHUNK_VALUES, PollOutcome, poll_once
from monitoring.report.chunk_views import ChunkRange, read_chunks
from stack.testing.fixtures import DatabaseAddress
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

on_mariadb = pytest.mark.parametrize("database", ["mariadb"], indirect=True)
"""For tests of calendars, clocks and verdicts, whose statements other tests run on both servers."""


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> MonitoredWorld:
    return make_world(engine, tmp_path)


@pytest.fixture
def weeks(engine: Engine, tmp_path: Path) -> MonitoredWorld:
    """The world with a reference that is long enough for chunks of a week."""
    return make_world(engine, tmp_path, days=63)


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
    said_before = [row for row in world.rows(results) if row["chunk_start"] == (FIRST + 2 * DAY).replace(tzinfo=None)]
    world.label(2, part=slice(240, 300))
    summary = poll(world)
    assert (summary.chunks, summary.revisions) == (1, 1)
    assert revisions(world) == {day: [1, 2] if day == 2 else [1] for day in range(8)}
    assert world.states()[2] == "ok"
    assert [row for row in world.rows(results) if row in said_before] == said_before
    spoken = [row for row in world.rows(verdicts) if row["chunk_start"] == (FIRST + 2 * DAY).replace(tzinfo=None)]
    assert [(row["revision"], row["state"], row["current"]) for row in spoken] == [
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
    spoken = [row for row in world.rows(verdicts) if row["chunk_start"] == (FIRST + 4 * DAY).replace(tzinfo=None)]
    assert [(row["revision"], row["sequence"], row["current"]) for row in spoken] == [(1, 1, 0), (1, 2, 1)]
    assert '"minutes"' in spoken[1]["drifted"]


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


def before_the_lock(monkeypatch: pytest.MonkeyPatch, happening: Callable[[], object]) -> None:
    """Let something happen once, between what the next poll reads and its taking of the version's lock."""

    def late(connection: Connection, key: VersionKey) -> bool:
        monkeypatch.setattr(computation, "lock_version", lock_version)
        happening()
        return lock_version(connection, key)

    monkeypatch.setattr(computation, "lock_version", late)


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


@contextlib.contextmanager
def batches_wait(world: MonitoredWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Require that a batch whose chunks are queued meanwhile waits for whoever queues all chunks of a version."""
    queue_all = chunk_queue.queue_all
    with ThreadPoolExecutor(1) as pool:

        def wait_beside(*arguments: Any) -> None:
            placing = pool.submit(touched_chunks.queue_touched_chunks, world.engine)
            with pytest.raises(TimeoutError):
                placing.result(timeout=1.0)
            queue_all(*arguments)

        monkeypatch.setattr(chunk_queue, "queue_all", wait_beside)
        yield


def test_a_batch_waits_for_a_spec_revision_in_progress(weeks: MonitoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in range(2, 6):
        weeks.predict(day)
    with batches_wait(weeks, monkeypatch):
        registry.revise_spec(weeks.engine, NAME, 1, SPEC.model_copy(update={"period": Period.WEEK}), NOW)
    starts = [row["chunk_start"] for row in weeks.rows(pending_chunks)]
    assert starts == [(FIRST + DAY).replace(tzinfo=None)]


def test_a_version_registered_again_is_queued_by_its_newest_calendar(
    weeks: MonitoredWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(2, 6):
        weeks.predict(day)
    registry.revise_spec(weeks.engine, NAME, 1, SPEC.model_copy(update={"period": Period.WEEK}), NOW)
    removal.retire(weeks.engine, NAME, 1)
    with batches_wait(weeks, monkeypatch):
        make_world(weeks.engine, tmp_path, days=63)
    starts = [row["chunk_start"] for row in weeks.rows(pending_chunks)]
    assert starts == [(FIRST + DAY).replace(tzinfo=None)]


def fitted_by_earlier_rules(world: MonitoredWorld) -> None:
    """Store the reference as a version of the program did that knew none of the present rules of evidence."""
    is_version = spec_revisions.c.model_number == world.version.model_number
    with world.engine.begin() as connection:
        fitted = json.loads(connection.execute(select(spec_revisions.c.fitted).where(is_version)).scalar_one())
        fitted |= {"evidence": None, "no_evidence": None}
        del fitted["evidence_rules"]
        connection.execute(update(spec_revisions).where(is_version).values(fitted=json.dumps(fitted)))


@on_mariadb
def test_a_reference_of_earlier_rules_is_fitted_again_once(world: MonitoredWorld) -> None:
    world.predict(0)
    evidence = registry.load(world.engine, NAME).fitted.evidence
    assert evidence is not None
    fitted_by_earlier_rules(world)
    assert not registry.load(world.engine, NAME).fitted.is_current
    poll(world)
    world.predict(1)
    poll(world)
    version = registry.load(world.engine, NAME)
    assert (version.spec_revision, version.fitted.is_current) == (2, True)
    assert version.fitted.evidence is not None
    assert version.fitted.evidence.to_dict() == evidence.to_dict()
    assert {row["spec_revision"] for row in world.rows(chunk_revisions) if row["current"]} == {2}


@on_mariadb
def test_a_version_whose_reference_is_lost_is_polled_by_its_earlier_rules(
    world: MonitoredWorld, caplog: pytest.LogCaptureFixture
) -> None:
    fitted_by_earlier_rules(world)
    Path(registry.load(world.engine, NAME).reference_uri.removeprefix("file://")).unlink()
    world.predict(0)
    assert poll(world).chunks == 1
    assert registry.load(world.engine, NAME).spec_revision == 1
    assert "alerts by earlier rules, which may exceed the alert budget" in caplog.text


def test_an_older_calendar_replaces_no_newer_chunk(weeks: MonitoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(weeks, days=6, labelled=0)

    def revise() -> None:
        registry.revise_spec(weeks.engine, NAME, 1, SPEC.model_copy(update={"period": Period.WEEK}), NOW)
        poll(weeks)

    before_the_lock(monkeypatch, revise)
    poll(weeks)
    current = [row["chunk_start"] for row in weeks.rows(chunk_revisions) if row["current"]]
    assert current == [datetime(2026, 1, 26), datetime(2026, 2, 2)]  # noqa: DTZ001  # as stored
    queued = [row["chunk_start"] for row in weeks.rows(pending_chunks) if row["due_at"] is None]
    assert queued == [FIRST.replace(tzinfo=None)]
    weekly = weeks.reported()["results"]
    poll(weeks)  # queues the week of that day instead
    poll(weeks)
    assert weeks.reported()["results"] == weekly
    assert [row for row in weeks.rows(pending_chunks) if row["due_at"] is None] == []


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


def test_a_failing_chunk_is_retried_and_stops_no_other(world: MonitoredWorld) -> None:
    filled(world, days=4, labelled=0)
    repair = damage(world, 1)
    summary = poll(world, scheduled=True)
    assert (summary.chunks, summary.failed) == (3, 1)
    with world.engine.connect() as connection:
        version = world.version
        (report,) = read_chunks(connection, version, FIRST + 3 * DAY, ChunkRange(FIRST + DAY, FIRST + DAY))
    assert (report.verdict.state, report.verdict.provisional) == (State.ERROR, True)
    assert "rows of a batch cannot be read" in report.verdict.reasons[0]
    assert poll(world, scheduled=True).outcomes == (), "it must rest"
    assert poll(world).failed == 1
    (waiting,) = [row for row in world.rows(pending_chunks) if row["attempts"]]
    excess = waiting["retry_at"] - (NOW + 2 * chunk_queue.FIRST_RETRY_DELAY).replace(tzinfo=None)
    assert (waiting["attempts"], timedelta() <= excess < timedelta(minutes=1)) == (2, True)
    repair()
    assert poll(world).chunks == 1
    assert world.states()[1] == "pending_labels"
    assert [row for row in world.rows(pending_chunks) if row["attempts"]] == []


def damage(world: MonitoredWorld, day: int) -> Callable[[], None]:
    """Damage what is stored of a day, so that its chunk cannot be computed; return what repairs it."""
    of_day = batch_data.c.first_event == FIRST.replace(tzinfo=None) + day * DAY, batch_data.c.content == "outputs"
    with world.engine.begin() as connection:
        (stored,) = connection.execute(select(batch_data.c.data).where(*of_day)).one()
        connection.execute(update(batch_data).where(*of_day).values(data=b"damaged"))

    def repair() -> None:
        with world.engine.begin() as connection:
            connection.execute(update(batch_data).where(*of_day).values(data=stored))

    return repair


@on_mariadb
def test_a_failing_chunk_rests_longer_each_time_until_it_recovers(world: MonitoredWorld) -> None:
    """Scheduled polls try it after 20 s, then after twice as long each time, and after an hour at last."""
    filled(world, days=2, labelled=0)
    repair, now = damage(world, 0), NOW
    for attempt, seconds in enumerate((20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600)):
        has_others = attempt % 4 == 0  # there are, and they are computed whether it is tried or rests
        if has_others:
            world.predict(2 + attempt, 60)
        outcome = poll_once(world.engine, now, scheduled=True)
        assert (outcome.failed, outcome.chunks > 0) == (1, has_others), attempt
        (waiting,) = [row for row in world.rows(pending_chunks) if row["attempts"]]
        retry_at = waiting["retry_at"].replace(tzinfo=UTC)
        assert timedelta() <= retry_at - now - timedelta(seconds=seconds) < timedelta(minutes=1)
        if has_others:
            world.predict(20 + attempt, 60)
        rested = poll_once(world.engine, retry_at - timedelta(seconds=1), scheduled=True)
        assert (rested.failed, rested.chunks > 0, waiting["attempts"]) == (0, has_others, attempt + 1)
        now = retry_at
    repair()
    assert poll_once(world.engine, now - timedelta(seconds=1), scheduled=True).outcomes == ()
    assert poll_once(world.engine, now, scheduled=True).chunks == 1
    assert world.states()[0] == "pending_labels"
    assert [row for row in world.rows(pending_chunks) if row["attempts"]] == []


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
        relabelled_chunks.record(holder, VersionKey(world.version.model_number, 1), {FIRST}, 1_000_000)
        summary = poll(world)
        assert (summary.chunks, summary.failed) == (1, 0)
    assert [row["batch_number"] for row in world.rows(pending_labels)] == [1_000_000]


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


@on_mariadb
def test_a_new_calendar_replaces_the_old_one_and_back(weeks: MonitoredWorld) -> None:
    filled(weeks, days=6, labelled=6)
    poll(weeks)
    by_day = weeks.reported()
    weekly = SPEC.model_copy(update={"period": Period.WEEK})
    registry.revise_spec(weeks.engine, weeks.version.name, 1, weekly, NOW)
    poll(weeks)
    current = [row["chunk_start"] for row in weeks.rows(chunk_revisions) if row["current"]]
    assert current == [datetime(2026, 1, 26), datetime(2026, 2, 2)]  # noqa: DTZ001  # as stored
    assert [row["chunk_start"] for row in weeks.rows(verdicts) if row["current"]] == current
    registry.revise_spec(weeks.engine, weeks.version.name, 1, SPEC, NOW)
    poll(weeks)
    assert [(row["chunk_start"], row["state"]) for row in weeks.reported()["verdicts"]] == [
        (row["chunk_start"], row["state"]) for row in by_day["verdicts"]
    ]


@on_mariadb
def test_returning_to_an_older_calendar_keeps_its_history(weeks: MonitoredWorld) -> None:
    filled(weeks, days=6, labelled=6)
    poll(weeks)
    stored: list[list[dict[str, Any]]] = [[], [], []]
    for period in (Period.WEEK, Period.DAY, Period.WEEK, Period.DAY):
        for table_rows, table in zip(stored, (chunk_revisions, results, verdicts), strict=True):
            table_rows += [row for row in weeks.rows(table, without={"current"}) if row not in table_rows]
        registry.revise_spec(weeks.engine, NAME, 1, SPEC.model_copy(update={"period": period}), NOW)
        poll(weeks)
    for table_rows, table in zip(stored, (chunk_revisions, results, verdicts), strict=True):
        now_stored = weeks.rows(table, without={"current"})
        assert [row for row in table_rows if row not in now_stored] == [], table.name
    open_ones = {row["chunk_start"] for row in weeks.rows(chunk_revisions) if row["current"] and not row["closed"]}
    assert open_ones == {(FIRST + 5 * DAY).replace(tzinfo=None)}


@on_mariadb
def test_a_closed_chunk_of_an_older_calendar_closes_no_other(weeks: MonitoredWorld) -> None:
    filled(weeks, days=6, labelled=6)
    poll(weeks)
    registry.revise_spec(weeks.engine, NAME, 1, SPEC.model_copy(update={"period": Period.WEEK}), NOW)
    poll(weeks)
    current = [(row["chunk_start"], row["closed"]) for row in weeks.rows(chunk_revisions) if row["current"]]
    assert current == [(datetime(2026, 1, 26), 1), (datetime(2026, 2, 2), 0)]  # noqa: DTZ001  # as stored
