"""The health check of containers asks a real server, with and without TLS."""

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


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers /readyz with the server's status."""

    def do_GET(self) -> None:
        status = getattr(self.server, "status", 200) if self.path == "/readyz" else 404
        self.send_response(status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[http.server.HTTPServer]:
    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as made:
        threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
        yield made
        made.shutdown()


def test_who_can_work_is_well(server: http.server.HTTPServer) -> None:
    assert health.can_work(server.server_port)


def test_who_cannot_work_yet_is_not(server: http.server.HTTPServer) -> None:
    server.status = 503  # type: ignore[attr-defined]
    assert not health.can_work(server.server_port)


def test_nobody_there_is_not_well() -> None:
    assert not health.can_work(ports.any_free(frozenset()))


def test_by_tls_it_trusts_the_services_own_certificate_and_no_other(
    server: http.server.HTTPServer, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    own, other = (make_certificates(tmp_path / name, now, ["monitor.internal"]) for name in ("own", "other"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.certificate, own.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    assert health.can_work(server.server_port, own.certificate)
    assert not health.can_work(server.server_port, other.certificate)
