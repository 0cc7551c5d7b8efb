"""What runs on this machine."""

from pathlib import Path

import pytest

from stack.servers import kafka
from stack.servers.sqlserver import as_root
from stack.services.local import PROCESSES, WORKERS, Selection
from stack.services.site import DEFAULT_PORTS, Site


def test_every_port_is_used_once() -> None:
    all_ports = [port for process in PROCESSES for port in process.ports]
    assert sorted(all_ports) == sorted(DEFAULT_PORTS)
    assert len(set(DEFAULT_PORTS.values())) == len(all_ports)


def test_an_external_server_is_not_local(tmp_path: Path) -> None:
    values = {"DB_HOST": "db", "DB_PORT": "1", "DB_USER": "u", "DB_PASSWORD": "p", "KAFKA_BOOTSTRAP_SERVERS": "k:2"}
    addresses = {process.name: process.external_address(Site.at(tmp_path, values)) for process in PROCESSES}
    started_here = dict.fromkeys(("simulator", "monitor", "serving", "score-stream"))
    assert addresses == {"mariadb": "db:1", "kafka": "k:2"} | started_here


def test_the_scored_stream_starts_on_request_and_needs_no_port(tmp_path: Path) -> None:
    (worker,) = WORKERS
    assert worker not in Selection().processes
    assert Selection(workers=WORKERS).processes[-1] is worker
    site = Site.at(tmp_path, {"KAFKA_BOOTSTRAP_SERVERS": "k:2", "KAFKA_SECURITY_PROTOCOL": "SSL"})
    assert (worker.address(site), worker.command(site)[1:]) == ("", ("pyspark/score_stream.py",))
    settings = worker.settings(site)
    assert settings["DB_USER"] == "driftline_jobs"
    assert settings["KAFKA_SECURITY_PROTOCOL"] == "SSL"


def test_servers_listen_on_loopback_only(tmp_path: Path) -> None:
    site = Site.at(tmp_path, {})
    assert "--bind-address=127.0.0.1" in PROCESSES[0].command(site)
    listeners = [line for line in kafka.CONFIGURATION.splitlines() if "listeners=" in line]
    assert len(listeners) == 2
    assert all("://" not in line.replace("://127.0.0.1:", "") for line in listeners)


def test_only_root_is_told_to_run_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert as_root() == ("--user=root",)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert as_root() == ()


def test_roles_start_with_the_servers_they_need_and_kafka_on_request() -> None:
    roles = ("serving", "monitor")
    assert [process.name for process in Selection.of_roles(roles).processes] == ["mariadb", "monitor", "serving"]
    with_kafka = Selection.of_roles(roles, kafka=True)
    assert [process.name for process in with_kafka.processes] == ["mariadb", "kafka", "monitor", "serving"]
    assert not with_kafka.uses_kafka, "nobody needs the topics of the simulator"
