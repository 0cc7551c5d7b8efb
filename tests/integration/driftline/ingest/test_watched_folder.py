"""Files that appear in a watched folder or bucket end in rows: each once, and only when they are complete."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pandas as pd
import pyarrow as pa
import pytest
from sqlalchemy import Engine, func, select

from driftline.clock import utc_now
from driftline.errors import InvalidInput
from driftline.ingest.files.file_ingestion import FileIngestion
from driftline.ingest.files.watched_folder import RECORD_RETENTION, FolderScan, WatchedFolder
from driftline.ingest.ingestion import Ingestion
from driftline.objects import open_store
from driftline.store import removal
from driftline.store.ledger import BatchKind
from driftline.store.sources.ingest_log import IngestState, LogFilter
from driftline.store.tables import labels as labels_table
from driftline.store.tables import ledger, predictions, watched_files
from stack.testing.fixtures import DatabaseAddress
from tests.integration.driftline.ingest.senders import labels_of, make_ingestion, nested, rows
from tests.integration.monitoring.world import NAME


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    return mariadb


@pytest.fixture
def ingestion(engine: Engine, tmp_path: Path) -> Ingestion:
    make_ingestion(engine, tmp_path / "objects")
    return Ingestion(engine, utc_now)  # of labels that are equally new, the larger value would count


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "inbox"
    path.mkdir()
    return path


Watcher = Callable[..., WatchedFolder]


@pytest.fixture
def watcher(ingestion: Ingestion, folder: Path) -> Watcher:
    """A function that returns a new watcher, as a new process would have it."""

    def make(kind: BatchKind = BatchKind.PREDICTIONS, address: str | None = None) -> WatchedFolder:
        return WatchedFolder(open_store(address or folder), FileIngestion(ingestion, NAME, kind), Event())

    return make


def write(path: Path, frame: pd.DataFrame) -> None:
    frame.to_csv(path, index=False)


def ids(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return {*connection.execute(select(predictions.c.id)).scalars()}


def stored_labels(engine: Engine) -> dict[str, float]:
    with engine.connect() as connection:
        pairs = connection.execute(select(labels_table.c.id, labels_table.c.value)).all()
    return {name: float(value) for name, value in pairs}


def recorded(engine: Engine) -> dict[str, tuple[str, int, str | None]]:
    columns = (watched_files.c.address, watched_files.c.state, watched_files.c.rows_sent, watched_files.c.reason)
    with engine.connect() as connection:
        return {Path(row.address).name: (row[1], row[2], row[3]) for row in connection.execute(select(*columns))}


def batches(engine: Engine) -> int:
    with engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(ledger)).scalar_one()


def test_files_of_every_format_are_stored_once(engine: Engine, folder: Path, watcher: Watcher) -> None:
    frame = rows(100)
    (folder / "deep").mkdir()
    write(folder / "a.csv", frame[:20])
    write(folder / "b.csv.gz", frame[20:40])
    frame[40:60].to_parquet(folder / "deep" / "c.parquet")
    frame[60:80].reset_index(drop=True).to_feather(folder / "d.arrow")
    lines = "\n".join(map(json.dumps, nested(frame[80:]))).encode()
    (folder / "e.jsonl.zst").write_bytes(pa.Codec("zstd").compress(lines, asbytes=True))
    for ignored in ("notes.md", "_SUCCESS", ".f.csv", "g.csv.tmp"):
        (folder / ignored).write_text("no data")
    first = watcher()
    assert [first.scan(), first.scan(), first.scan()] == [FolderScan(remaining=5), FolderScan(stored=5), FolderScan()]
    assert ids(engine) == {*frame["id"]}
    count = batches(engine)
    again = watcher()
    assert [again.scan(), again.scan()] == [FolderScan(), FolderScan()]
    (folder / "a.csv").touch()
    assert [again.scan(), again.scan()] == [FolderScan(remaining=1), FolderScan(stored=1)]
    assert batches(engine) == count


def test_a_file_that_is_being_written_waits(engine: Engine, folder: Path, watcher: Watcher) -> None:
    frame, watched = rows(30), watcher()
    path = folder / "rows.csv"
    write(path, frame[:10])
    for size in (20, 30):
        assert watched.scan() == FolderScan(remaining=1)
        write(path, frame[:size])
    assert ids(engine) == set()
    assert [watched.scan(), watched.scan()] == [FolderScan(remaining=1), FolderScan(stored=1)]
    assert ids(engine) == {*frame["id"]}


def test_a_refused_file_is_recorded_and_read_again_once_it_changes(
    engine: Engine, ingestion: Ingestion, folder: Path, watcher: Watcher
) -> None:
    write(folder / "a.csv", rows(10).astype({"distance": object}).assign(distance="unknown"))
    (folder / "b.parquet").write_bytes(b"no Parquet")
    write(folder / "c.csv", rows(10, first=10))
    first = watcher()
    assert [first.scan(), first.scan()] == [FolderScan(remaining=3), FolderScan(stored=1, refused=2)]
    refused = recorded(engine)
    assert "a.csv: The rows are invalid" in str(refused["a.csv"][2])
    assert "b.parquet" in str(refused["b.parquet"][2])
    assert "driftline-watch-" not in str(refused)
    assert {path.split("/")[0] for path in refused} == {"a.csv", "b.parquet", "c.csv"}
    reasons = [entry.reason or "" for _, entry in ingestion.log(NAME, 9, LogFilter(state=IngestState.REFUSED))]
    assert len(reasons) == 2
    assert "--na-values unknown" in str(reasons)
    assert [first.scan(), watcher().scan()] == [FolderScan(), FolderScan()]
    write(folder / "a.csv", rows(10))
    assert [first.scan(), first.scan()] == [FolderScan(remaining=1), FolderScan(stored=1)]
    assert recorded(engine)["a.csv"] == ("stored", 10, None)
    assert ids(engine) == {*rows(20)["id"]}


def test_labels_follow_the_names_of_files_and_may_change_back(engine: Engine, folder: Path, watcher: Watcher) -> None:
    labels = labels_of(rows(4)).drop(columns="known_at")
    write(folder / "2.csv", labels.assign(label=0))
    write(folder / "1.csv", labels.assign(label=1))
    write(folder / "3.csv", labels.assign(label=1))
    watched = watcher(BatchKind.LABELS)
    assert [watched.scan(), watched.scan()] == [FolderScan(remaining=3), FolderScan(stored=3)]
    assert set(stored_labels(engine).values()) == {1.0}
    write(folder / "3.csv", labels.assign(label=0))
    assert [watched.scan(), watched.scan()] == [FolderScan(remaining=1), FolderScan(stored=1)]
    assert set(stored_labels(engine).values()) == {0.0}


@pytest.mark.parametrize("fixture", ["gcs_bucket", "s3_bucket"])
def test_objects_are_read_at_the_first_look(
    engine: Engine, watcher: Watcher, fixture: str, request: pytest.FixtureRequest
) -> None:
    address = f"{request.getfixturevalue(fixture)}/some/prefix"
    store = open_store(address)
    store.put("a.csv", rows(10).to_csv(index=False).encode())
    watched = watcher(address=address)
    assert [watched.scan(), watched.scan()] == [FolderScan(stored=1), FolderScan()]
    store.put("a.csv", rows(20).to_csv(index=False).encode())
    assert [watcher(address=address).scan(), watched.scan()] == [FolderScan(stored=1), FolderScan()]
    assert ids(engine) == {*rows(20)["id"]}


def test_a_model_that_is_removed_leaves_no_record_of_its_files(engine: Engine, folder: Path, watcher: Watcher) -> None:
    write(folder / "a.csv", rows(5))
    watched = watcher()
    assert [watched.scan(), watched.scan()] == [FolderScan(remaining=1), FolderScan(stored=1)]
    removal.remove(engine, NAME)
    assert recorded(engine) == {}


def test_removed_files_are_forgotten_after_a_month(engine: Engine, folder: Path, watcher: Watcher) -> None:
    """Those of other folders are not, nor are files that are still there."""
    other = folder.with_name("inbox2")
    other.mkdir()
    for path in (folder / "a.csv", folder / "b.csv", other / "c.csv"):
        write(path, rows(5))
    for address in (None, str(other)):
        watched = watcher(address=address)
        assert (watched.scan().stored, watched.scan().remaining) == (0, 0)
    for path in (folder / "a.csv", other / "c.csv"):
        path.unlink()
    assert watcher().scan() == FolderScan()
    assert {*recorded(engine)} == {"a.csv", "b.csv", "c.csv"}
    later = Ingestion(engine, lambda: utc_now() + RECORD_RETENTION)
    WatchedFolder(open_store(folder), FileIngestion(later, NAME, BatchKind.PREDICTIONS), Event()).scan()
    assert {*recorded(engine)} == {"b.csv", "c.csv"}


def test_a_missing_folder_is_named(ingestion: Ingestion, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"There is no folder .*missing; create it"):
        WatchedFolder(open_store(tmp_path / "missing"), FileIngestion(ingestion, NAME), Event())


def test_a_stopped_process_ends_between_two_batches(folder: Path, watcher: Watcher, engine: Engine) -> None:
    write(folder / "a.csv", rows(5))
    watched = watcher()
    watched.scan()
    watched.stop.set()
    assert watched.scan() == FolderScan(remaining=1)
    watched.run(0.1)
    assert ids(engine) == set()


def command(folder: Path, *options: str) -> list[str]:
    watch = ["ingest", NAME, "--watch", str(folder), "--every", "0.2", *options]
    return [sys.executable, "-c", "from driftline.cli import main; main()", *watch]


@pytest.mark.kills
def test_a_process_that_is_killed_loses_and_doubles_nothing(
    engine: Engine, ingestion: Ingestion, database: DatabaseAddress, folder: Path
) -> None:
    """Two processes are killed while they store files; the third finishes."""
    environment = os.environ | database.environment() | {"PYTHONPATH": "src"}
    frame = rows(200)
    for number in range(40):
        write(folder / f"{number:02}.csv", frame[5 * number : 5 * number + 5])
    for least in (30, 100):
        process = subprocess.Popen(command(folder), env=environment, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while len(ids(engine)) < least and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.wait()
    assert len(ids(engine)) < len(frame)
    (folder / "x.csv").write_text("id\n1\n")
    unread = 40 - len(recorded(engine))
    once = subprocess.run(command(folder, "--once"), env=environment, capture_output=True, text=True, check=False)
    assert (once.returncode, once.stdout) == (2, f"{folder}: {unread} files stored, 1 refused, 0 left\n")
    assert "Columns are missing" in once.stderr
    assert ids(engine) == {*frame["id"]}
    assert len(recorded(engine)) == 41
