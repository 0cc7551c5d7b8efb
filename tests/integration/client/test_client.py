"""The client and the real monitor: rows arrive as they were logged, and kills neither lose nor double any."""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import Engine, func, select

from driftline.client import MonitorClient
from driftline.models.registered_models import RegisteredModels, propose
from driftline.objects import open_store
from driftline.store.tables import batch_data, ingest_log, labels
from stack.testing.fixtures import DatabaseAddress
from tests.integration.client.killed_program import FRAME_ROWS, row
from tests.integration.client.monitor_process import MonitorProcess
from tests.integration.monitoring.world import FIRST, NAME, MonitoredWorld, make_world
from tests.unit.docs.pages import ROOT

KILLS = int(os.environ.get("KILLS", "4"))
PROGRAMS = 2
COLUMNS = [*row("any")]


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    """One server is enough: the tests of ingestion run on both."""
    return mariadb


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> MonitoredWorld:
    return make_world(engine, tmp_path / "objects")


@pytest.fixture
def monitor(world: MonitoredWorld, database: DatabaseAddress, tmp_path: Path) -> Iterator[MonitorProcess]:
    process = MonitorProcess(database, tmp_path)
    process.start()
    yield process
    process.close()


def stored(world: MonitoredWorld) -> pd.DataFrame:
    with world.engine.connect() as connection:
        return world.store.read(connection, 1, FIRST, FIRST + timedelta(days=1))


def assert_stored(world: MonitoredWorld, ids: list[str]) -> None:
    """Every row is stored as it was logged."""
    expected = pd.DataFrame([row(row_id) for row_id in ids]).set_index("id").sort_index()
    rows = stored(world)[COLUMNS].set_index("id").sort_index()
    pd.testing.assert_frame_equal(
        rows.astype({"carrier": object}), expected.astype({"carrier": object}), check_dtype=False
    )


def test_rows_are_stored_as_they_were_logged(monitor: MonitorProcess, world: MonitoredWorld, tmp_path: Path) -> None:
    with MonitorClient(monitor.url, NAME, spool=tmp_path / "spool") as client:
        for number in range(100):
            flat = row(str(number))
            features = {
                "minutes": flat["minutes"],
                "distance": np.float64(flat["distance"]),
                "carrier": flat["carrier"],
            }
            client.log(features, np.int64(flat["prediction"]), flat["probability_1"], number, flat["event_time"])
        frame = pd.DataFrame([row(str(number)) for number in range(100, 200)])
        assert client.log_frame(frame) == 100
        assert client.log_labels({number: number % 2 for number in range(200)}) == 200
        monitor.await_answer()
        assert client.flush(60)
        assert client.log_frame(frame) == 100  # the job ran again
        assert client.flush(60)
        assert client.status().refused_batches == 0
        assert client.status().sent == 500
    assert_stored(world, [str(number) for number in range(200)])
    assert stored(world).set_index("id")["label"].to_dict() == {str(number): number % 2 for number in range(200)}


def test_an_invalid_row_is_kept_with_the_monitors_reason(
    monitor: MonitorProcess, world: MonitoredWorld, tmp_path: Path
) -> None:
    with MonitorClient(monitor.url, NAME, spool=tmp_path / "spool") as client:
        for number in range(50):
            flat = row(str(number))
            minutes: Any = "ERR" if number == 17 else flat["minutes"]
            features = {"minutes": minutes, "distance": flat["distance"], "carrier": flat["carrier"]}
            client.log(features, flat["prediction"], flat["probability_1"], number, flat["event_time"])
        monitor.await_answer()
        assert client.flush(60)
        assert client.status().refused_batches == 1
    assert_stored(world, [str(number) for number in range(50) if number != 17])
    refused = tmp_path / "spool" / NAME / "refused"
    [batch], [reason] = list(refused.glob("*.ndjson")), list(refused.glob("*.reason.json"))
    assert json.loads(batch.read_text())["id"] == "17"
    assert "'ERR'" in reason.read_text()


def test_one_invalid_row_in_a_hundred_leaves_the_others_stored(
    monitor: MonitorProcess, world: MonitoredWorld, tmp_path: Path
) -> None:
    with MonitorClient(monitor.url, NAME, spool=tmp_path / "spool", batch_seconds=3600) as client:
        for number in range(1_000):
            flat = row(str(number))
            minutes: Any = "ERR" if number % 100 == 17 else flat["minutes"]
            carrier = None if number % 7 else flat["carrier"]
            features = {"minutes": minutes, "distance": flat["distance"], "carrier": carrier}
            client.log(features, flat["prediction"], flat["probability_1"], number, flat["event_time"])
        frame = pd.DataFrame([row(str(number)) for number in range(1_000, 2_000)])
        frame["minutes"] = [
            "ERR" if number % 100 == 17 else str(minutes) for number, minutes in enumerate(frame["minutes"])
        ]
        client.log_frame(frame)
        monitor.await_answer()
        assert client.flush(60)
    assert {*stored(world)["id"]} == {str(number) for number in range(2_000) if number % 100 != 17}
    reasons = (tmp_path / "spool" / NAME / "refused").glob("*.reason.json")
    details = [detail for path in reasons for detail in json.loads(path.read_text())["details"]]
    assert len(details) == 20
    assert all("'ERR'" in detail for detail in details)


def test_ids_that_the_client_takes_are_stored(monitor: MonitorProcess, world: MonitoredWorld, tmp_path: Path) -> None:
    ids = [
        "NA",
        "nan",
        "null",
        "None",
        " a",
        "é",
        "\U0001f600",
        "1e5",
        "007",
        "7.0",
        "x" * 128,
        "é" * 128,
        "a\xa0",
        "A",
        "a",
    ]
    with MonitorClient(monitor.url, NAME, spool=tmp_path / "spool") as client:
        for row_id in (*ids, "a"):
            flat = row(row_id)
            features = {name: flat[name] for name in ("minutes", "distance", "carrier")}
            client.log(features, flat["prediction"], flat["probability_1"], row_id, flat["event_time"])
        client.log_labels((row_id, 1) for row_id in ids)
        client.log_labels([("a", 0)])
        monitor.await_answer()
        assert client.flush(60)
        assert client.status().refused_batches == 0
    rows = stored(world).set_index("id")
    assert rows["label"].to_dict() == dict.fromkeys(ids, 1) | {"a": 0}


def test_rows_of_an_unknown_model_wait(monitor: MonitorProcess, tmp_path: Path) -> None:
    with MonitorClient(monitor.url, "unknown", spool=tmp_path / "spool") as client:
        client.log({}, 1)
        monitor.await_answer()
        assert client.flush(2) is False
        assert "HTTP 404" in str(client.status().last_error)
        assert client.status().waiting_batches == 1


def test_a_model_registered_from_a_file_takes_its_own_columns(
    monitor: MonitorProcess, engine: Engine, tmp_path: Path
) -> None:
    """Rows of `log` and of `log_frame` are the same predictions, whatever the file's columns are called."""
    roles = {"timestamp": "at", "label": "y", "score": "score of it", "id": "key"}
    draws = np.random.default_rng(7)
    score = draws.uniform(size=2_400)
    reference = pd.DataFrame(
        {
            "at": pd.date_range("2026-03-01", periods=2_400, freq="12min", tz="UTC"),
            "key": [f"{number}" for number in range(2_400)],
            "y": (draws.uniform(size=2_400) < score).astype(int),
            "score of it": score,
            "größe (cm)": draws.normal(size=2_400),
            "select": draws.choice(["a", "b"], size=2_400),
        }
    )
    models = RegisteredModels(engine, open_store(tmp_path / "objects"))
    models.register(propose(reference, "own-columns", **roles))
    rows = reference.head(100).drop(columns="y")
    with MonitorClient(monitor.url, "own-columns", spool=tmp_path / "spool") as client:
        assert client.log_frame(rows) == 100
        monitor.await_answer()
        assert client.flush(60)
        for row in rows.head(50).to_dict("records"):
            features = {name: row[name] for name in ("größe (cm)", "select")}
            value = row["score of it"]
            client.log(features, prediction=int(value >= 0.5), score=value, id=row["key"], at=row["at"])
        assert client.log_labels(dict(zip(reference["key"][:100], reference["y"], strict=False))) == 100
        assert client.flush(60)
        assert client.status().refused_batches == 0
    with engine.connect() as connection:
        log = connection.execute(
            select(ingest_log.c.rows_new, ingest_log.c.rows_same).order_by(ingest_log.c.rows_new.desc())
        ).all()
    assert sorted(map(tuple, log), reverse=True) == [(100, 0), (100, 0), (0, 50)]


class Program:
    """A program that logs; its output names what was acknowledged, and ends with the process."""

    def __init__(self, url: str, folder: Path, name: str) -> None:
        self.path = folder / f"{name}.txt"
        command = [sys.executable, "-m", "tests.integration.client.killed_program", url, str(folder / "spool"), name]
        environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
        with self.path.open("wb") as output:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output)

    def await_rows(self) -> None:
        """Wait until it has logged something."""
        while self._process.poll() is None and self.path.stat().st_size == 0:
            time.sleep(0.02)
        assert self._process.poll() is None

    def kill(self) -> list[list[str]]:
        """Kill it and return its lines, without one that was being written."""
        self._process.kill()
        self._process.wait()
        return [line.split() for line in self.path.read_text().split("\n")[:-1]]


@pytest.mark.kills
def test_kills_neither_lose_nor_double_rows(monitor: MonitorProcess, world: MonitoredWorld, tmp_path: Path) -> None:
    """Programs that share a folder, and the monitor, are killed in turn and started again.

    The monitor is killed while batches arrive: a client of the test sends what waits as soon as it answers.
    """
    draws = random.Random(7)
    lines: list[list[str]] = []
    programs = [Program(monitor.url, tmp_path, f"start{number}") for number in range(PROGRAMS)]
    with MonitorClient(monitor.url, NAME, spool=tmp_path / "spool") as client:
        for kill in range(KILLS):
            monitor.await_answer()
            for program in programs:
                program.await_rows()
            client.flush(0)
            time.sleep(draws.random() / 2)
            if kill % 2:
                monitor.kill()
                monitor.start()
            else:
                lines += programs.pop(draws.randrange(PROGRAMS)).kill()
                programs.append(Program(monitor.url, tmp_path, f"kill{kill}"))
        for program in programs:
            lines += program.kill()
        monitor.await_answer()
        assert any(client.flush(10) for _ in range(30))
        assert client.status().refused_batches == 0
    assert_nothing_lost_or_doubled(world, lines)


def assert_nothing_lost_or_doubled(world: MonitoredWorld, lines: list[list[str]]) -> None:
    """All acknowledged rows are stored once; a call that a kill interrupted may be stored too."""
    acknowledged = {words[1] for words in lines if words[0] == "prediction"}
    logged_labels = {words[1]: int(words[2]) for words in lines if words[0] == "label"}
    rows = stored(world)
    ids = [*rows["id"]]
    assert len(acknowledged) > 100
    assert acknowledged - {*ids} == set()
    assert len(ids) == len({*ids})
    assert len({*ids} - acknowledged) <= (KILLS + PROGRAMS) * FRAME_ROWS
    assert_stored(world, ids)
    with world.engine.connect() as connection:
        values = {row.id: (row.value, row.revision) for row in connection.execute(select(labels))}
        new = connection.execute(
            select(func.sum(ingest_log.c.rows_new)).where(ingest_log.c.kind == "predictions")
        ).scalar_one()
        repeated = connection.execute(
            select(func.count()).where(ingest_log.c.rows_same == ingest_log.c.rows_sent, ingest_log.c.rows_sent > 0)
        ).scalar_one()
        data = connection.execute(
            select(func.sum(batch_data.c.row_count)).where(batch_data.c.content == "outputs")
        ).scalar_one()
    assert (int(new), int(data)) == (len(ids), len(ids))
    expected = {row_id: (value, 1) for row_id, value in logged_labels.items()}
    assert {row_id: values.get(row_id) for row_id in logged_labels} == expected
    counts = f"{KILLS} kills: {len(ids):,} predictions, {len(values):,} labels, {repeated} batches came again"
    print(counts)  # noqa: T201  # shown by pytest -rP
