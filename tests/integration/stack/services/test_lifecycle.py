"""MariaDB and Kafka through `python -m stack`: started twice, killed, stopped, and who may do what."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest
from confluent_kafka.admin import AdminClient

from stack.servers import processes
from stack.services.accounts import ACCOUNTS
from stack.services.environments import settings_for
from stack.services.site import Site, read_ports
from stack.services.status import states_of
from stack.supervision import control

PATIENCE = 120
Completed = subprocess.CompletedProcess[str]


@dataclass(frozen=True)
class Stack:
    """A var folder of its own, driven by the command that the Makefile calls."""

    var: Path

    def run(self, *arguments: str, **environment: str) -> Completed:
        return subprocess.run(
            (sys.executable, "-m", "stack", *arguments),
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DB_", "KAFKA_"))}
        return {**inherited, "DRIFTLINE_VAR": str(self.var), **more}

    def up(self, *arguments: str, **environment: str) -> Completed:
        completed = self.run("up", "--servers-only", *arguments, **environment)
        assert completed.returncode == 0, completed.stderr
        return completed

    @property
    def site(self) -> Site:
        return Site(self.var, "RawData", read_ports(self.var))

    def wait_until_running(self) -> None:
        """Return when both servers run and answer."""
        states: dict[str, str] = {}
        deadline = time.monotonic() + PATIENCE
        while [states.get(name) for name in ("mariadb", "kafka")] != ["running", "running"]:
            assert time.monotonic() < deadline, states
            states = states_of(self.site)

    def topics(self) -> set[str]:
        return {*AdminClient({"bootstrap.servers": self.site.bootstrap_servers}).list_topics(timeout=10).topics}

    def pids(self) -> list[int]:
        servers = [processes.find(self.site.home, name) for name in ("mariadb", "kafka")]
        return [server.pid for server in servers if server]

    def connect(self, role: str, schema: str = "RawData") -> "pymysql.connections.Connection[pymysql.cursors.Cursor]":
        settings = settings_for(role, self.site)
        return pymysql.connect(
            host=settings["DB_HOST"],
            port=int(settings["DB_PORT"]),
            user=settings["DB_USER"],
            password=settings["DB_PASSWORD"],
            database=schema,
            autocommit=True,
        )

    def execute(self, role: str, statement: str, schema: str = "RawData") -> tuple[tuple[object, ...], ...]:
        with self.connect(role, schema) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return tuple(cursor.fetchall())


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    started = Stack(tmp_path_factory.mktemp("stack") / "var")
    started.up("--any-port")
    yield started
    assert started.run("clean").returncode == 0
    assert not started.var.exists()


def test_secrets_are_the_owners_alone(stack: Stack) -> None:
    folder = stack.var / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    files = list(folder.iterdir())
    assert {path.name.partition(".")[0] for path in files} >= set(ACCOUNTS)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_started_twice_is_fine(stack: Stack) -> None:
    pids = stack.pids()
    stack.up()
    assert stack.pids() == pids
    assert len(pids) == 2


@pytest.mark.kills
def test_killed_servers_come_back_by_themselves_with_their_rows(stack: Stack) -> None:
    stack.execute("owner", "CREATE TABLE survivors (id INT PRIMARY KEY)")
    stack.execute("owner", "INSERT INTO survivors VALUES (7)")
    pids = stack.pids()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    stack.wait_until_running()
    assert set(stack.pids()).isdisjoint(pids)
    assert stack.execute("owner", "SELECT id FROM survivors") == ((7,),)
    stack.execute("owner", "DROP TABLE survivors")
    assert {"cdr-records", "cdr-batches"} <= stack.topics()
    assert stack.run("status").stderr.count("UTC: killed by SIGKILL") == 2


def test_servers_outlive_their_supervisor(stack: Stack) -> None:
    pids, supervisor = stack.pids(), control.find(stack.site.home)
    assert supervisor
    os.kill(supervisor.pid, signal.SIGKILL)
    assert supervisor.ended_within(10)
    assert stack.pids() == pids
    stack.up()
    assert stack.pids() == pids
    os.kill(pids[0], signal.SIGKILL)
    stack.wait_until_running()
    assert stack.pids()[1] == pids[1]


def test_down_stops_all_and_leaves_the_data(stack: Stack) -> None:
    completed = stack.run("down")
    assert completed.returncode == 0
    assert "was killed" not in completed.stderr
    assert stack.pids() == []
    assert stack.run("status").returncode == 3
    stack.up()
    assert stack.execute("simulator", "SELECT COUNT(*) FROM DP_CDR_Data") == ((0,),)


def test_a_port_taken_by_someone_else_is_left_to_them(stack: Stack) -> None:
    port = read_ports(stack.var)["mariadb"]
    stack.run("down")
    with socket.create_server(("127.0.0.1", port)):
        completed = stack.up()
        assert f"Port {port} is in use:" in completed.stderr
        assert read_ports(stack.var)["mariadb"] != port
        assert stack.execute("jobs", "SELECT 1") == ((1,),)


def test_topics_are_there(stack: Stack) -> None:
    topics = AdminClient({"bootstrap.servers": stack.site.bootstrap_servers}).list_topics(timeout=10).topics
    assert {name: len(topics[name].partitions) for name in ("cdr-records", "cdr-batches")} == {
        "cdr-records": 4,
        "cdr-batches": 1,
    }


PRIVILEGES: list[tuple[str, str]] = [
    ("simulator", "DELETE FROM pending_batches"),
    ("simulator", "CALL GetDailyCDRDataBatch('2026-01-01')"),
    ("simulator", "SELECT * FROM RawData_truth.injected_drift"),
    ("simulator", "SELECT number FROM models"),
    ("jobs", "SELECT * FROM model_predictions"),
    ("monitor", "DELETE FROM results"),
    ("monitor", "SELECT * FROM batch_data"),
]
FORBIDDEN: list[tuple[str, str]] = [
    ("simulator", "SELECT 1 FROM results"),
    ("simulator", "CREATE TABLE mine (id INT)"),
    ("simulator", "DELETE FROM models"),
    ("simulator", "DELETE FROM DP_CDR_Data"),
    ("jobs", "SELECT 1 FROM RawData_truth.injected_drift"),
    ("jobs", "CREATE TABLE mine (id INT)"),
    ("jobs", "DELETE FROM predictions"),
    ("monitor", "SELECT 1 FROM RawData_truth.injected_drift"),
    ("monitor", "SELECT 1 FROM DP_CDR_Data"),
    ("monitor", "DROP TABLE results"),
    ("jobs", "ALTER TABLE Processed_Data ADD COLUMN more INT"),
    ("monitor", "SELECT 1 FROM mysql.user"),
    ("owner", "SELECT 1 FROM mysql.user"),
    ("owner", "CREATE DATABASE elsewhere"),
]
"""A few on the server that `make up` starts; test_rights.py has all of them."""


@pytest.mark.parametrize(("role", "statement"), PRIVILEGES)
def test_each_role_may_do_its_work(stack: Stack, role: str, statement: str) -> None:
    stack.execute(role, statement)


@pytest.mark.parametrize(("role", "statement"), FORBIDDEN)
def test_each_role_may_do_no_more(stack: Stack, role: str, statement: str) -> None:
    with pytest.raises((pymysql.err.OperationalError, pymysql.err.ProgrammingError), match="denied"):
        stack.execute(role, statement)


@pytest.mark.kills
def test_killed_while_starting_the_next_run_recovers(tmp_path: Path) -> None:
    interrupted = Stack(tmp_path / "var")
    command = (sys.executable, "-m", "stack", "up", "--servers-only", "--any-port")
    with subprocess.Popen(command, env=interrupted.environment(), stderr=subprocess.DEVNULL) as starting:
        assert wait_for(interrupted, "kafka", starting)
        starting.kill()
    try:
        interrupted.up()
        assert len(interrupted.pids()) == 2
    finally:
        assert interrupted.run("clean").returncode == 0


def wait_for(stack: Stack, name: str, starting: "subprocess.Popen[bytes]") -> bool:
    """Whether the service's process came to be before the command that starts it ended."""
    while starting.poll() is None:
        if processes.find(stack.site.home, name):
            return True
    return False


def test_a_given_database_is_used_and_none_started(tmp_path: Path, stack: Stack) -> None:
    address = {
        **settings_for("owner", stack.site),
        "KAFKA_BOOTSTRAP_SERVERS": stack.site.bootstrap_servers,
    }
    second = Stack(tmp_path / "var")
    completed = second.up(**{name: value for name, value in address.items() if name != "DRIFTLINE_VAR"})
    assert "external, from the environment" in completed.stderr
    assert second.pids() == []
    assert not (second.var / "secrets").exists()


def test_the_monitor_alone_needs_no_kafka(tmp_path: Path) -> None:
    alone = Stack(tmp_path / "var")
    try:
        completed = alone.run("up", "--role", "monitor", "--any-port")
        assert completed.returncode == 0, completed.stderr
        assert [processes.find(alone.site.home, name) is not None for name in ("mariadb", "kafka", "simulator")] == [
            True,
            False,
            False,
        ]
        tables = {name for (name,) in alone.execute("owner", "SHOW TABLES")}
        assert {"models", "predictions", "verdicts"} <= tables
        assert tables.isdisjoint({"DP_CDR_Data", "alembic_version_churn"})
        assert alone.execute("monitor", "SELECT COUNT(*) FROM models") == ((0,),)
    finally:
        assert alone.run("clean").returncode == 0


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    second = Stack(tmp_path)
    for command in (("up", "--servers-only"), ("clean",)):
        completed = second.run(*command)
        assert completed.returncode == 2
        assert "was not created by Driftline" in completed.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
