"""HTTPS: which clients and certificates are accepted."""

import logging
import socket
import ssl
import struct
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftline.errors import InvalidInput
from driftline.http.server.server import make_server
from driftline.settings import TlsSettings
from driftline.tls import client_context
from stack.services.certificates import Certificates, make_certificates
from tests.integration.driftline.http.server.clients import HOST, example_app, get, running_server, tls_settings


def test_https_clients_accept_only_the_right_ca(certificates: Certificates, tmp_path: Path) -> None:
    other = make_certificates(tmp_path / "other", datetime.now(UTC))
    with running_server(tls_settings(certificates)) as port:
        assert get(port, client_context(certificates.authority)) == (200, b"ok")
        with pytest.raises(ssl.SSLCertVerificationError):
            get(port, client_context(other.authority))


def test_https_refuses_plain_http_and_old_tls(certificates: Certificates) -> None:
    old = client_context(certificates.authority)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.deprecated_call():
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with running_server(tls_settings(certificates)) as port:
        with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL"):
            get(port, old)
        status, text = get(port)
        assert (status, b"HTTPS only" in text) == (400, True)
        newest = client_context(certificates.authority)
        raw = socket.create_connection((HOST, port), 10)
        with newest.wrap_socket(raw, server_hostname=HOST) as connection:
            assert connection.version() == "TLSv1.3"


def test_a_disconnect_before_the_handshake_is_no_error(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    reset_on_close = struct.pack("ii", 1, 0)
    with running_server(tls_settings(certificates)) as port:
        for _ in range(40):
            with socket.create_connection((HOST, port), 10) as client:
                client.sendall(b"\x16\x03\x01")
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_on_close)
        assert get(port, client_context(certificates.authority)) == (200, b"ok")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_renewed_certificate_is_loaded_and_a_broken_one_is_not(tmp_path: Path) -> None:
    first = make_certificates(tmp_path, datetime.now(UTC))
    before = client_context(first.authority)
    with running_server(tls_settings(first)) as port:
        first.certificate.write_text("half a certif")
        assert get(port, before) == (200, b"ok")
        make_certificates(tmp_path, datetime.now(UTC))
        assert get(port, client_context(first.authority)) == (200, b"ok")
        with pytest.raises(ssl.SSLCertVerificationError):
            get(port, before)


@pytest.mark.parametrize("fault", ["missing", "mismatch", "no PEM"])
def test_an_unusable_certificate_is_one_clear_message(tmp_path: Path, fault: str) -> None:
    certificates = make_certificates(tmp_path / "first", datetime.now(UTC))
    other = make_certificates(tmp_path / "other", datetime.now(UTC))
    if fault == "missing":
        certificates.key.unlink()
    key = other.key if fault == "mismatch" else certificates.key
    if fault == "no PEM":
        key.write_text("secret")
    messages = {
        "missing": "key.pem cannot be read",
        "mismatch": "the key belongs to another certificate",
        "no PEM": "no PEM data",
    }
    with pytest.raises(InvalidInput, match=messages[fault]):
        make_server(example_app(), HOST, 0, TlsSettings(cert=certificates.certificate, key=key))
