"""Predictions over HTTPS: a renewed certificate is used at the next handshake, and a stop loses no answer."""

import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftline.tls import client_context
from stack import paths
from stack.servers import ports
from stack.services.certificates import Certificates, make_certificates
from tests.integration.driftline.http.server.clients import HOST, connect_when_listening, get, read

SERVICE = """
import asyncio, sys
from pathlib import Path
from driftline.settings import TlsSettings
from serving.web.server import serve

async def app(scope, receive, send):
    print(scope["scheme"], scope["path"], flush=True)
    await asyncio.sleep(0.5 if scope["path"] == "/slow" else 0)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

port, certificate, key = sys.argv[1:]
serve(app, "127.0.0.1", int(port), TlsSettings(cert=Path(certificate), key=Path(key)), most_bytes=1000)
"""


@contextmanager
def https_service(certificates: Certificates) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run the server of predictions with another app, until the context ends."""
    port = ports.any_free()
    command = [sys.executable, "-c", SERVICE, str(port), str(certificates.certificate), str(certificates.key)]
    environment = {**os.environ, "PYTHONPATH": "src:."}
    with subprocess.Popen(command, cwd=paths.ROOT, env=environment, stdout=subprocess.PIPE, text=True) as service:
        try:
            connect_when_listening(port).close()
            yield service, port
        finally:
            service.kill()


def test_a_renewed_certificate_is_used_and_a_broken_one_is_not(tmp_path: Path) -> None:
    first = make_certificates(tmp_path, datetime.now(UTC))
    before = client_context(first.authority)
    with https_service(first) as (_, port):
        assert get(port, before) == (200, b"ok")
        first.certificate.write_text("half a certif")
        assert get(port, before) == (200, b"ok")
        make_certificates(tmp_path, datetime.now(UTC))
        assert get(port, client_context(first.authority)) == (200, b"ok")
        with pytest.raises(ssl.SSLCertVerificationError):
            get(port, before)


def test_sigterm_ends_after_the_answers_in_progress(certificates: Certificates) -> None:
    with https_service(certificates) as (service, port):
        assert service.stdout
        raw = socket.create_connection((HOST, port), 10)
        with client_context(certificates.authority).wrap_socket(raw, server_hostname=HOST) as connection:
            connection.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            assert service.stdout.readline() == "https /slow\n"
            service.send_signal(signal.SIGTERM)
            assert read(connection).endswith(b"\r\n\r\nok")
            assert service.wait(10) == 0, "a client that does not end TLS delays the stop"
