"""Runs of the poll stay readable: from other monitors, and after the monitor that had begun them was killed."""

import json
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select

from driftline.clock import utc_now
from driftline.settings import DatabaseSettings
from driftline.store.tables import model_versions, poll_runs
from monitoring import run_store
from monitoring.run_record import PollRunState, RunRecord
from monitoring.run_store import RunStore
from stack.testing.fixtures import DatabaseAddress
from tests.integration.client.monitor_process import MonitorProcess
from tests.integration.monitoring.applications import monitor_of
from tests.integration.monitoring.world import make_world


@pytest.fixture
def database(mariadb: DatabaseAddress) -> DatabaseAddress:
    """One server is enough: the statements are those of tables that are tested on both."""
    return mariadb


@pytest.mark.kills
def test_a_run_is_readable_after_its_monitor_was_killed(
    engine: Engine, database: DatabaseAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_world(engine, tmp_path).predict(0)
    with monkeypatch.context() as patch:
        patch.setenv("MONITOR_RUN_WAIT_SECONDS", "0")
        process = MonitorProcess(database, tmp_path)
    process.start()
    try:
        with engine.begin() as holder:
            holder.execute(select(model_versions.c.version).with_for_update())
            process.await_answer()
            with urlopen(Request(f"{process.url}/run-monitoring", method="POST"), timeout=30) as answer:  # noqa: S310  # our own address
                killed = json.load(answer)["run"]
            process.kill()
    finally:
        process.close()
    with monitor_of(DatabaseSettings.model_validate(database.settings()), tmp_path / "output") as app:
        client = app.test_client()
        assert _run(client, killed)["state"] == "running"
        with monkeypatch.context() as patch:
            patch.setattr(run_store, "LOST_AFTER", timedelta(0))
            lost = _run(client, killed)
        assert (lost["state"], lost["ended_at"], lost["result"]) == ("interrupted", None, None)
        assert "the next poll computes the rest" in str(lost["problem"])
        done = client.post("/run-monitoring").get_json()
        assert (done["chunks"], done["failed"]) == (1, 0)
    with monitor_of(DatabaseSettings.model_validate(database.settings()), tmp_path / "output") as app:
        client = app.test_client()
        again = _run(client, done["run"])
        assert (again["state"], again["result"]) == ("ended", done)
        assert [run["run"] for run in client.get("/api/v1/runs").get_json()["runs"]] == [done["run"], killed]


def _run(client: FlaskClient, name: str) -> dict[str, object]:
    answer: dict[str, object] = client.get(f"/api/v1/runs/{name}").get_json()
    return answer


def test_an_outcome_stays_and_the_oldest_runs_are_deleted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_store, "KEPT_RUNS", 3)
    store, now = RunStore(engine, utc_now), utc_now()
    for number in range(5):
        began = now + timedelta(seconds=number)
        running = RunRecord(f"run{number}", began, None, PollRunState.RUNNING, None, None)
        store.begin(running)
        failed = RunRecord(f"run{number}", began, began, PollRunState.FAILED, "The server is away. " * 100, None)
        store.end(failed)
        store.begin(running)  # a sign of life that was late
    assert [(run.id, run.state) for run in store.newest(9)] == [(f"run{n}", PollRunState.FAILED) for n in (4, 3, 2)]
    assert store.read("run0") is None
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(poll_runs)).scalar() == 3
