"""Both services as processes over HTTPS: who trusts the CA is answered, plain HTTP is not, and SIGTERM ends them."""

import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest

from driftline.http.health import is_ready
from driftline.tls import client_context
from stack import paths
from stack.servers import ports
from stack.servers.readiness import wait_until_ready
from stack.services.certificates import Certificates, make_certificates

SETTINGS = {"DB_USER": "nobody", "DB_PASSWORD": "of nobody", "DB_PORT": "1", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
"""No server is there: a service lives without, and says that it cannot work."""


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "tls", datetime.now(UTC))


@pytest.fixture(params=["flaskapp", "monitoring"])
def service(
    request: pytest.FixtureRequest, tmp_path: Path, certificates: Certificates
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """A service that serves HTTPS, and its port."""
    port = ports.any_free()
    environment = {
        **os.environ,
        **SETTINGS,
        **{f"{name}_PORT": str(port) for name in ("SIMULATOR", "MONITOR")},
        "MONITOR_OUTPUT": str(tmp_path / "output"),
        "DRIFTLINE_TLS_CERT": str(certificates.certificate),
        "DRIFTLINE_TLS_KEY": str(certificates.key),
    }
    log = tmp_path / "service.log"
    with log.open("wb") as opened:
        process = subprocess.Popen(
            [sys.executable, "-m", request.param], cwd=paths.ROOT, env=environment, stdout=opened, stderr=opened
        )
    trusting = client_context(certificates.authority)
    wait_until_ready(request.param, lambda: _lives(port, trusting), lambda seconds: _ended(process, seconds), log, 60)
    yield process, port
    process.kill()
    process.wait()


def _lives(port: int, context: ssl.SSLContext) -> bool:
    try:
        return _status(HTTPSConnection("127.0.0.1", port, timeout=10, context=context), "/healthz") == 200
    except ConnectionRefusedError:
        return False


def _status(connection: HTTPConnection, path: str) -> int:
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


def _ended(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def test_a_service_speaks_https_alone_and_ends_when_told(
    service: tuple["subprocess.Popen[bytes]", int], certificates: Certificates
) -> None:
    process, port = service
    trusting = client_context(certificates.authority)
    assert _status(HTTPSConnection("127.0.0.1", port, timeout=10, context=trusting), "/readyz") == 503
    assert _status(HTTPConnection("127.0.0.1", port, timeout=10), "/healthz") == 400
    assert not is_ready(port, certificates.certificate)
    process.terminate()
    assert process.wait(30) == 0
