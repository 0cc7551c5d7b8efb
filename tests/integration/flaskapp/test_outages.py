"""The simulator's process, MySQL and Kafka killed while a stream runs: in the end all is there, once."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import Engine, delete

from churn import migrate
from churn.tables import cdr, injected_drift, stream_runs
from churn.truth import with_truth
from driftline.publishing.publisher import Route
from driftline.settings import DatabaseSettings, KafkaSettings
from driftline.store.database import make_engine
from driftline.store.tables import labels, ledger, pending_batches
from stack import paths
from stack.servers import ports
from stack.servers.topics import create_topics
from stack.testing.temporary_servers import TemporaryBroker, TemporaryDatabase, kafka_broker, mariadb_server
from tests.integration.flaskapp.observed import contents, published, record_ids
from tests.integration.outage import wait_out
from tests.waiting import wait_until

STREAM: dict[str, Any] = {"start_date": "2026-01-01", "num_batches": 25, "subscribers": 40, "interval": 0.1}


@dataclass
class SimulatorProcess:
    """Servers of this test's own, that it may kill, and a simulator in a process of its own."""

    database: TemporaryDatabase
    broker: TemporaryBroker
    engine: Engine
    environment: dict[str, str]
    port: int
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def route(self) -> Route:
        return Route(KafkaSettings.plain(self.broker.bootstrap_servers), "cdr-records", "cdr-batches", "")

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flaskapp"], cwd=paths.ROOT, env=self.environment, stdout=log, stderr=log
            )
        wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            return self.call("GET", "/healthz").ok
        except requests.ConnectionError:
            return False

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> requests.Response:
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", json=body, timeout=60)

    def stream(self) -> Any:
        return self.call("GET", "/stream").json()

    def end(self, number: signal.Signals) -> int:
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(30)

    def wait_for(self, holds: Callable[[Any], bool]) -> Any:
        wait_until(lambda: holds(self.stream()))
        return self.stream()

    def require_all(self) -> None:
        """Check that every record is in MySQL and in Kafka once, as many as the status says."""
        status = self.wait_for(lambda status: status["state"] in {"finished", "failed"})
        assert (status["state"], status["batches_done"], status["batches_published"]) == ("finished", 25, 25), status
        ids = record_ids(self.engine)
        assert status["records"] == len(ids)
        assert sorted(record["record_id"] for record in published(self.route)) == ids


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """Fresh servers and a simulator on them."""
    with mariadb_server(_folder(tmp_path, "sql")) as database, kafka_broker(_folder(tmp_path, "kafka")) as broker:
        create_topics(KafkaSettings.plain(broker.bootstrap_servers))
        settings = _settings(database)
        engine = with_truth(make_engine(settings))
        migrate.upgrade(engine)
        port = ports.any_free()
        running = SimulatorProcess(
            database, broker, engine, _environment(settings, broker, port), port, tmp_path / "simulator.log"
        )
        running.start()
        yield running
        running.end(signal.SIGKILL)
        engine.dispose()


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def _settings(database: TemporaryDatabase) -> DatabaseSettings:
    with database.administrator() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE killed")
        cursor.execute("CREATE DATABASE killed_truth")
    return DatabaseSettings.model_validate(
        {"host": "127.0.0.1", "port": database.port, "user": "root", "password": database.password, "name": "killed"}
    )


def _environment(settings: DatabaseSettings, broker: TemporaryBroker, port: int) -> dict[str, str]:
    """Return the environment of a simulator on the test's servers."""
    return {
        **os.environ,
        "PYTHONPATH": "src",
        "DB_HOST": settings.host,
        "DB_PORT": str(settings.port),
        "DB_USER": settings.user,
        "DB_PASSWORD": settings.password.get_secret_value(),
        "DB_NAME": settings.name,
        "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
        "SIMULATOR_PORT": str(port),
    }


@pytest.mark.kills
def test_kills_do_not_change_the_result(world: SimulatorProcess) -> None:
    """The simulator twice, MySQL and Kafka once each; then the same stream in peace gives the same tables."""
    assert world.call("POST", "/start_stream", STREAM).status_code == 200
    world.wait_for(lambda status: status["batches_done"] >= 4)
    world.end(signal.SIGKILL)
    world.start()
    world.wait_for(lambda status: status["batches_done"] >= 8)
    _without(world, world.database.process.kill, world.database.process.start, "MySQL")
    world.wait_for(lambda status: status["batches_done"] >= 12)
    _without(world, world.broker.process.kill, world.broker.process.start, "Kafka")
    world.wait_for(lambda status: status["batches_done"] >= 16)
    world.end(signal.SIGKILL)
    world.start()
    world.require_all()
    assert _tables(world.engine) == _tables_of_a_quiet_stream(world)


def _without(world: SimulatorProcess, kill: Callable[[], None], start: Callable[[], None], name: str) -> None:
    """Take a server away until the stream says that it waits for it, and `OUTAGE_SECONDS` longer; give it back."""
    kill()
    for _ in range(2):
        world.wait_for(lambda status: status["state"] == "waiting" and name in status["last_error"])
        assert world.call("GET", "/readyz").status_code == 503
        wait_out()
    start()


def _tables(engine: Engine) -> list[list[tuple[Any, ...]]]:
    return [contents(engine, table) for table in (cdr, labels, injected_drift)]


def _tables_of_a_quiet_stream(world: SimulatorProcess) -> list[list[tuple[Any, ...]]]:
    """Write the same stream into an emptied database."""
    with world.engine.begin() as connection:
        for table in (cdr, labels, ledger, pending_batches, stream_runs, injected_drift):
            connection.execute(delete(table))
    assert world.call("POST", "/start_stream", STREAM).status_code == 200
    world.wait_for(lambda status: status["batches_done"] == 25)
    return _tables(world.engine)


@pytest.mark.kills
def test_a_stream_without_a_server_is_rejected_by_name(world: SimulatorProcess) -> None:
    for process, code in ((world.broker.process, "kafka"), (world.database.process, "database")):
        process.kill()
        answer = world.call("POST", "/start_stream", STREAM)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, f"{code}_unavailable")
        assert "Traceback" not in answer.text
        assert "rdkafka" not in answer.text
        process.start()
        wait_until(lambda: world.call("GET", "/readyz").ok)
    assert world.stream()["state"] == "idle"


def test_sigterm_is_quick_and_a_taken_port_is_reported(world: SimulatorProcess) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "flaskapp"], cwd=paths.ROOT, env=world.environment, check=False, timeout=60
    )
    assert second.returncode != 0
    world.call("POST", "/start_stream", {**STREAM, "interval": 3600})
    world.wait_for(lambda status: status["batches_done"] == 1)
    began = time.monotonic()
    assert world.end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 10
