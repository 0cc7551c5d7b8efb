"""The health check of containers against a real server, with and without TLS."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftline.http import health
from stack.servers import ports
from stack.services.certificates import make_certificates


class StatusHandler(http.server.BaseHTTPRequestHandler):
    """A handler that answers /readyz with the server's status."""

    def do_GET(self) -> None:
        status = getattr(self.server, "status", 200) if self.path == "/readyz" else 404
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    with http.server.HTTPServer(("127.0.0.1", 0), StatusHandler) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


def test_status_200_is_ready(server: http.server.HTTPServer) -> None:
    assert health.is_ready(server.server_port)


def test_status_503_is_not_ready(server: http.server.HTTPServer) -> None:
    server.status = 503  # type: ignore[attr-defined]
    assert not health.is_ready(server.server_port)


def test_a_port_without_a_server_is_not_ready() -> None:
    assert not health.is_ready(ports.any_free(frozenset()))


def test_over_tls_only_the_services_certificate_is_trusted(server: http.server.HTTPServer, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    service, other = (make_certificates(tmp_path / name, now, ["monitor.internal"]) for name in ("service", "other"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(service.certificate, service.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    assert health.is_ready(server.server_port, service.certificate)
    assert not health.is_ready(server.server_port, other.certificate)
