"""A changed calendar: chunks of the new one replace those of the old one, also while batches arrive."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from driftline.engine.spec import Period
from driftline.store import removal
from driftline.store.polling import pending_chunks as chunk_queue
from driftline.store.tables import chunk_revisions, pending_chunks, results, verdicts
from driftline.store.versions import registry
from monitoring.poll import touched_chunks
from tests.integration.monitoring.poll.polls import before_the_lock, filled, on_mariadb, poll
from tests.integration.monitoring.world import DAY, FIRST, NAME, NOW, SPEC, MonitoredWorld, make_world


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
