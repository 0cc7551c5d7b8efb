"""The one table of what runs."""

from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from stack import kafka, ports
from stack.services import SERVICES, http_ok
from stack.site import DEFAULT_PORTS, Site
from stack.sqlserver import as_root


def test_every_port_is_used_once() -> None:
    used = [port for service in SERVICES for port in service.ports]
    assert sorted(used) == sorted(DEFAULT_PORTS)
    assert len(set(DEFAULT_PORTS.values())) == len(used)


def test_a_given_server_is_not_ours(tmp_path: Path) -> None:
    given = {"DB_HOST": "db", "DB_PORT": "1", "DB_USER": "u", "DB_PASSWORD": "p", "KAFKA_BOOTSTRAP_SERVERS": "k:2"}
    addresses = {service.name: service.given(Site.at(tmp_path, given)) for service in SERVICES}
    assert addresses == {"mariadb": "db:1", "kafka": "k:2", "simulator": None, "monitor": None}


def test_servers_listen_on_loopback_only(tmp_path: Path) -> None:
    site = Site.at(tmp_path, {})
    assert "--bind-address=127.0.0.1" in SERVICES[0].command(site)
    listeners = [line for line in kafka.CONFIGURATION.splitlines() if "listeners=" in line]
    assert len(listeners) == 2
    assert all("://" not in line.replace("://127.0.0.1:", "") for line in listeners)


def test_only_root_is_told_to_run_as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert as_root() == ("--user=root",)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert as_root() == ()


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz" else 503)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_ready_is_200() -> None:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        assert http_ok(server.server_port, "/readyz")
        assert not http_ok(server.server_port, "/else")
        server.shutdown()
    assert not http_ok(ports.any_free(), "/readyz")
