"""The history that Spark computes ends in the results of the poll, bit by bit, from MySQL and from the archive."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from driftline.ingest.ingestion import Ingestion
from driftline.objects import open_store
from driftline.settings import DatabaseSettings
from driftline.store import migrate
from driftline.store.archive.retention import Retention, set_retention
from driftline.store.archive.run import Archive
from driftline.store.database import make_engine
from driftline.store.tables import chunk_states
from monitoring.history import History
from monitoring.poll.poller import poll_once
from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.ingest.senders import sent
from tests.integration.monitoring.world import FIRST, NAME, NOW, MonitoredWorld, make_world, rows_of

DAYS = 5


@pytest.fixture
def settings(mariadb: DatabaseAddress) -> DatabaseSettings:
    return DatabaseSettings.model_validate(mariadb.settings())


@pytest.fixture
def world(settings: DatabaseSettings, tmp_path: Path) -> Iterator[MonitoredWorld]:
    """Five days in three batches each, with labels and a correction; the rows of the first are archived."""
    engine = make_engine(settings)
    migrate.upgrade(engine)
    created = make_world(engine, tmp_path)
    for day in range(DAYS):
        for first in (0, 100, 200):
            created.predict(day, part=slice(first, first + 100))
        created.label(day, part=slice(0, 250))
    corrected = rows_of(FIRST, 300, seed=2).iloc[:5].drop(columns=["label", "model_version", "scored_at"])
    Ingestion(engine, lambda: NOW).corrections(NAME, sent(corrected.assign(distance=-1.0)))
    set_retention(engine, NAME, Retention(0))
    assert len(Archive(engine, open_store(tmp_path), lambda: NOW).run().written) == 1
    yield created
    engine.dispose()


def test_spark_ends_like_the_poll(
    world: MonitoredWorld, settings: DatabaseSettings, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spark.sparkContext, "pythonExec", sys.executable)
    monkeypatch.setattr("driftline.store.rows.reading.chunk_parts.VALUES_AT_ONCE", 9 * 100)
    monkeypatch.setattr("driftline.store.rows.reading.chunk_parts.LARGEST_LABEL_PART", 200)
    monkeypatch.setattr("monitoring.history.BRANCH", 2)
    monkeypatch.setattr("monitoring.history.TASKS_AT_ONCE", 20)
    jobs: list[int] = []

    def progress(items: Sequence[Any], _: str) -> Iterator[Any]:
        jobs.append(len(items))
        return iter(items)

    assert History(world.engine, settings, spark.sparkContext, lambda: NOW, progress).run(NAME).chunks == DAYS
    assert jobs[0] > 1
    assert {row["part"] for row in world.rows(chunk_states) if row["content"] == "labels"} == {0, 1}
    world.label(1, part=slice(0, 50), flipped=True)
    assert poll_once(world.engine, NOW, scheduled=False).chunks == 1
    reported = world.reported()
    world.forget()
    assert poll_once(world.engine, NOW, scheduled=False).chunks == DAYS
    assert reported == world.reported()
