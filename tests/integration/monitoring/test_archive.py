"""The archive: rows leave MySQL for Parquet objects, what is read and computed stays, and kills change nothing."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine, MetaData, func, insert, select

from driftline.engine.calendar import chunk_at
from driftline.engine.results import LABEL
from driftline.engine.spec import Period
from driftline.errors import InvalidInput
from driftline.ingest.ingestion import Ingestion
from driftline.objects import ObjectStore, open_store
from driftline.settings import DatabaseSettings
from driftline.store import migrate, removal
from driftline.store.archive import run as archive_run
from driftline.store.archive import writing
from driftline.store.archive.report import object_lines
from driftline.store.archive.retention import Retention, set_retention
from driftline.store.archive.run import Archive, ArchiveRunning, ArchiveSummary
from driftline.store.database import in_transaction, make_engine
from driftline.store.rows.archived.archive_file import schema_of
from driftline.store.rows.archived.archive_objects import ObjectState, RowsRemoved
from driftline.store.rows.reading.chunk_rows import ChunkReader
from driftline.store.tables import archive_objects, batch_data, metadata
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry
from monitoring.archiving import archive_every
from monitoring.poll.poller import poll_once
from stack.testing.fixtures import DatabaseAddress
from stack.testing.temporary_servers import TemporaryDatabase
from tests.integration.driftline.ingest.senders import json_sent, sent
from tests.integration.monitoring.world import DAY, FIRST, NAME, NOW, SPEC, MonitoredWorld, make_world, rows_of

DAYS, DUE = 9, 5
"""The newest event is on the ninth day and labels take three, so that the chunks of five days are due."""


def make_archived(engine: Engine, folder: Path) -> MonitoredWorld:
    """Nine days of predictions in several batches, one of them over three days, with most labels, polled."""
    world = make_world(engine, folder)
    for day in range(DAYS):
        for first in (0, 40):
            world.predict(day, part=slice(first, first + 20))
        if day < 6:
            world.label(day, part=slice(0, 50))
    long = pd.concat([rows_of(FIRST + day * DAY, 300, seed=2).iloc[200:220] for day in range(3)])
    in_transaction(engine, lambda connection: world.store.write(connection, "long", long, NOW))
    poll(world)
    set_retention(engine, NAME, Retention(0))
    return world


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> MonitoredWorld:
    return make_archived(engine, tmp_path)


@pytest.fixture(scope="module")
def template(mariadb_session: TemporaryDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A schema with the world, which tests copy."""
    name = "archive_template"
    with mariadb_session.administrator() as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    password = mariadb_session.password
    address = {"host": "127.0.0.1", "port": mariadb_session.port, "user": "root", "password": password, "name": name}
    engine = make_engine(DatabaseSettings.model_validate(address))
    migrate.upgrade(engine)
    make_archived(engine, tmp_path_factory.mktemp("template"))
    yield engine
    engine.dispose()
    with mariadb_session.administrator() as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


@pytest.fixture
def maria_world(template: Engine, mariadb: DatabaseAddress) -> Iterator[MonitoredWorld]:
    """The world on MariaDB alone, copied."""
    engine = make_engine(DatabaseSettings.model_validate(mariadb.settings()))
    with engine.begin() as connection:
        connection.exec_driver_sql("SET foreign_key_checks = 0")
        for table in metadata.sorted_tables:
            connection.exec_driver_sql(f"CREATE TABLE {table.name} LIKE {template.url.database}.{table.name}")
            same = table.to_metadata(MetaData(), schema=str(template.url.database))
            connection.execute(insert(table).from_select([*table.c], select(same)))
    yield MonitoredWorld(engine)
    engine.dispose()


def poll(world: MonitoredWorld) -> int:
    return poll_once(world.engine, NOW, scheduled=False).chunks


def archive_of(world: MonitoredWorld, folder: Path) -> Archive:
    return Archive(world.engine, open_store(folder), lambda: NOW)


def archive(world: MonitoredWorld, folder: Path) -> ArchiveSummary:
    summary = archive_of(world, folder).run()
    assert summary.failures == []
    return summary


def stored(world: MonitoredWorld) -> pd.DataFrame:
    with world.engine.connect() as connection:
        return world.store.read(connection, 1, FIRST, FIRST + 40 * DAY)


def computed_again(world: MonitoredWorld) -> dict[str, list[dict[str, Any]]]:
    world.forget()
    poll(world)
    return world.reported()


def objects(folder: Path) -> dict[str, pd.DataFrame]:
    """Every object of the archive, as pandas reads it."""
    return {path.name: pd.read_parquet(path) for path in sorted((folder / "archive" / NAME).rglob("*.parquet"))}


def blobs(world: MonitoredWorld) -> int:
    with world.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(batch_data)).scalar_one())


def test_archived_rows_are_read_and_computed_as_before(world: MonitoredWorld, tmp_path: Path) -> None:
    before, reported = stored(world), world.reported()
    assert [len(plan.periods) for plan in archive_of(world, tmp_path).plans(NAME)] == [DUE]
    assert objects(tmp_path) == {}
    summary = archive(world, tmp_path)
    assert [(written.rows, written.period.start) for written in summary.written] == [
        (40 + 20 * (day < 3), FIRST + day * DAY) for day in range(DUE)
    ]
    assert blobs(world) == 2 * 2 * (DAYS - DUE)
    pd.testing.assert_frame_equal(stored(world), before)
    assert computed_again(world) == reported
    archived = pd.concat(objects(tmp_path).values(), ignore_index=True)
    assert list(archived) == schema_of(SPEC).names
    expected = before[before["event_time"] < FIRST + DUE * DAY]
    expected = expected.assign(label_known_at=pd.to_datetime(expected["label_known_at"], utc=True))
    columns = [*SPEC.features, "id", "event_time", "model_version", "scored_at", "prediction", "probability_1"]
    for names in (columns, ["id", LABEL, "label_known_at"]):
        of_object, of_store = (frame[names].sort_values("id", ignore_index=True) for frame in (archived, expected))
        pd.testing.assert_frame_equal(of_object, of_store.astype(of_object.dtypes.to_dict()))
    assert archive(world, tmp_path) == ArchiveSummary()


def test_the_list_names_the_objects_that_count(maria_world: MonitoredWorld, tmp_path: Path) -> None:
    world = maria_world
    assert archive_of(world, tmp_path).stored() == []
    written = {entry.address: entry.rows for entry in archive(world, tmp_path).written}
    day = rows_of(FIRST, 300, seed=2).iloc[:3]
    Ingestion(world.engine, lambda: NOW).deletions(NAME, json_sent({"ids": day["id"].tolist()}))
    (again,) = archive(world, tmp_path).written
    (old,) = (address for address, rows in written.items() if not Path(address).exists())
    entries = [json.loads(line) for line in object_lines(archive_of(world, tmp_path).stored(NAME))]
    listed = {entry["address"]: entry["rows"] for entry in entries}
    assert again.rows == written[old] - 3
    del written[old]
    assert listed == written | {again.address: again.rows}
    assert {address: len(pd.read_parquet(address)) for address in listed} == listed
    assert [(entry["model"], entry["version"], entry["start"]) for entry in entries] == [
        (NAME, 1, (FIRST + number * DAY).isoformat()) for number in range(DUE)
    ]


def test_changes_of_archived_chunks_are_computed(maria_world: MonitoredWorld, tmp_path: Path) -> None:
    world = maria_world
    archive(world, tmp_path)
    ingestion = Ingestion(world.engine, lambda: NOW)
    world.label(1, part=slice(0, 50), flipped=True)
    world.label(1, part=slice(200, 220))
    world.predict(2, part=slice(70, 90))
    day = rows_of(FIRST, 300, seed=2).iloc[:3].drop(columns=["label", "model_version", "scored_at"])
    assert ingestion.predictions(NAME, sent(day)).same == 3
    assert ingestion.corrections(NAME, sent(day.assign(distance=-5.0))).changed == 3
    poll(world)
    reported, rows = world.reported(), stored(world)
    assert computed_again(world) == reported
    summary = archive(world, tmp_path)
    assert {written.period.start for written in summary.written} == {FIRST, FIRST + 2 * DAY}
    assert computed_again(world) == reported
    columns = [name for name in rows if name != "batch_number"]
    pd.testing.assert_frame_equal(stored(world)[columns], rows[columns])
    assert len(objects(tmp_path)) == DUE
    assert not pd.concat(objects(tmp_path).values())["id"].duplicated().any()


def test_erased_content_is_gone_from_objects(maria_world: MonitoredWorld, tmp_path: Path) -> None:
    world = maria_world
    ingestion = Ingestion(world.engine, lambda: NOW)
    archive(world, tmp_path)
    secret = rows_of(FIRST, 300, seed=2).iloc[10:12].drop(columns=["label", "model_version", "scored_at"])
    ingestion.corrections(NAME, sent(secret.assign(carrier="Secret Air")))
    archive(world, tmp_path)
    assert "Secret Air" in set(pd.concat(objects(tmp_path).values())["carrier"])
    assert ingestion.deletions(NAME, json_sent({"column": "carrier", "value": "Secret Air"})).changed == 2 + 2
    assert ingestion.deletions(NAME, json_sent({"ids": ["2026-02-02/0040"]})).changed == 1
    poll(world)
    reported = world.reported()
    archive(world, tmp_path)
    rows = pd.concat(objects(tmp_path).values())
    assert not set(rows["id"]) & {*secret["id"], "2026-02-02/0040"}
    assert "Secret Air" not in set(rows["carrier"])
    assert len(objects(tmp_path)) == DUE
    assert computed_again(world) == reported


def test_another_calendar_reads_and_extends_objects(maria_world: MonitoredWorld, tmp_path: Path) -> None:
    world = maria_world
    by_hour = world.version.spec.model_copy(update={"period": Period.HOUR})
    registry.revise_spec(world.engine, NAME, 1, by_hour, NOW)
    archive(world, tmp_path)
    assert len(objects(tmp_path)) == DUE
    registry.revise_spec(world.engine, NAME, 1, SPEC, NOW)
    world.predict(0, part=slice(100, 120))
    poll(world)
    reported = world.reported()
    (written,) = archive(world, tmp_path).written
    assert (written.period.start, written.period.end, written.rows) == (FIRST, FIRST + DAY, 80)
    registry.revise_spec(world.engine, NAME, 1, by_hour, NOW)
    registry.revise_spec(world.engine, NAME, 1, SPEC, NOW)
    rows = computed_again(world)
    assert [_numbers(result) for result in rows["results"]] == [_numbers(result) for result in reported["results"]]


def _numbers(result: dict[str, Any]) -> dict[str, Any]:
    return {name: result[name] for name in ("chunk_start", "subject", "method", "value", "state", "rows_used")}


def test_removed_rows_keep_their_results(maria_world: MonitoredWorld, tmp_path: Path) -> None:
    world = maria_world
    set_retention(world.engine, NAME, Retention(0, 3))
    reported = world.reported()
    archive(world, tmp_path)
    assert archive(world, tmp_path).removed == 2
    assert len(objects(tmp_path)) == DUE - 2
    world.label(0, part=slice(0, 50), flipped=True)
    poll(world)
    assert world.reported() == reported
    ingestion = Ingestion(world.engine, lambda: NOW)
    day = rows_of(FIRST, 300, seed=2).iloc[:3].drop(columns=["label", "model_version", "scored_at"])
    with pytest.raises(RowsRemoved, match="removed from the archive by the model's retention"):
        ingestion.corrections(NAME, sent(day.assign(distance=-5.0)))
    assert ingestion.deletions(NAME, json_sent({"ids": day["id"].tolist()})).changed == 3
    states = {row["state"] for row in world.rows(archive_objects)}
    assert states == {ObjectState.STORED, ObjectState.REMOVED}


def test_readers_follow_rows_that_are_archived_meanwhile(maria_world: MonitoredWorld, tmp_path: Path) -> None:
    world = maria_world
    key = VersionKey(world.version.model_number, 1)
    with world.engine.connect() as connection:
        rows = ChunkReader(connection, key, SPEC, chunk_at(SPEC, FIRST))
        ((_, portions),) = rows.groups(rows.removals(), 1_000)
        before = rows.read(portions[0]).sort_values("id", ignore_index=True)
        archive(world, tmp_path)
        pd.testing.assert_frame_equal(rows.read(portions[0]).sort_values("id", ignore_index=True), before)
        ((_, portions),) = rows.groups(rows.removals(), 1_000)
        assert all(blob.archived for blob in portions[0])
        day = rows_of(FIRST, 300, seed=2).iloc[:3].drop(columns=["label", "model_version", "scored_at"])
        Ingestion(world.engine, lambda: NOW).corrections(NAME, sent(day.assign(distance=-5.0)))
        assert len(archive(world, tmp_path).written) == 1
        after = rows.read(portions[0])
        assert len(after) == len(before) - 3


STEPS: list[tuple[Any, str, bool]] = [
    (writing.PeriodWriter, "_write_file", False),
    (ObjectStore, "put_file", False),
    (ObjectStore, "put_file", True),
    (writing.PeriodWriter, "_finish", False),
    (writing.PeriodWriter, "write", True),
    (archive_run, "delete_archived_blobs", True),
]


def killed_run(world: MonitoredWorld, folder: Path, step: tuple[Any, str, bool], call: int) -> bool:
    """Run the archive in a process that kills itself before or after a call of a function; return whether it did."""
    child = os.fork()
    if child == 0:
        owner, name, after = step
        original: Callable[..., Any] = getattr(owner, name)
        calls = 0

        def deadly(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            result = original(*arguments, **options) if after or calls < call else None
            if calls == call:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        setattr(owner, name, deadly)
        try:
            world.engine.dispose(close=False)
            archive_of(world, folder).run()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.kills
def test_kills_change_nothing(maria_world: MonitoredWorld, tmp_path: Path) -> None:
    world = maria_world
    before, reported = stored(world), world.reported()
    for number, step in enumerate(STEPS):
        assert killed_run(world, tmp_path, step, 2 if step[1] == "write" else 1), step
        pd.testing.assert_frame_equal(stored(world), before)
        if number == len(STEPS) - 2:
            assert blobs(world) == 2 * (2 * DAYS + 1)
            assert computed_again(world) == reported
    archive(world, tmp_path)
    pd.testing.assert_frame_equal(stored(world), before)
    assert computed_again(world) == reported
    rows = world.rows(archive_objects)
    assert [row["state"] for row in rows] == ["stored"] * DUE
    assert {Path(row["address"]).name for row in rows} == set(objects(tmp_path))
    assert all(pq.read_metadata(row["address"]).num_rows == row["row_count"] for row in rows)
    assert blobs(world) == 2 * 2 * (DAYS - DUE)


def test_one_run_at_a_time_by_schedule_and_removal_with_the_model(maria_world: MonitoredWorld, tmp_path: Path) -> None:
    world = maria_world
    with archive_run.exclusive_run(world.engine), pytest.raises(ArchiveRunning, match="Another archive run is working"):
        archive(world, tmp_path)
    scheduler = BackgroundScheduler()
    archive_every(scheduler, archive_of(world, tmp_path), 60)
    scheduler.get_jobs()[0].func()
    assert len(objects(tmp_path)) == DUE
    removal.remove(world.engine, NAME)
    assert objects(tmp_path) == {}


@pytest.mark.parametrize(("archive_after", "remove_after"), [(None, 3), (5, 3), (-1, None)])
def test_a_retention_that_cannot_be_is_refused(archive_after: int | None, remove_after: int | None) -> None:
    with pytest.raises(InvalidInput):
        Retention(archive_after, remove_after)
