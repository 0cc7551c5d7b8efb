"""The server over HTTP and HTTPS: which requests it answers or refuses, and that no client can block the others."""

import http.client
import json
import logging
import os
import random
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask, Response, jsonify, request

from driftline.errors import InvalidInput
from driftline.http.server import connections
from driftline.http.server import server as server_module
from driftline.http.server.connections import HEADER_BYTES
from driftline.http.server.server import MAX_BODIES, MAX_CONCURRENT_REQUESTS, MAX_IDLE_CONNECTIONS, THREADS, make_server
from driftline.settings import TlsSettings
from driftline.tls import client_context
from stack import paths
from stack.servers import ports
from stack.services.certificates import Certificates, make_certificates

HOST = "127.0.0.1"
PLAIN = TlsSettings(cert=None, key=None)
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
PROMPT_SECONDS = connections.IDLE_SECONDS / 2
"""A blocked request would wait until an idle client is disconnected; any other is answered long before."""


def _app() -> Flask:
    """Return an app with routes that succeed, return the size of the body, and refuse."""
    app = Flask("example")
    app.config["MAX_CONTENT_LENGTH"] = 1_000_000

    def healthz() -> str:
        return "ok"

    def echo() -> Response:
        return jsonify(length=len(request.get_data()), scheme=request.scheme)

    def refuse() -> tuple[str, int]:
        return "no", 401

    app.get("/healthz")(healthz)
    app.post("/echo")(echo)
    app.post("/refuse")(refuse)
    return app


@contextmanager
def _running_server(tls: TlsSettings = PLAIN) -> Iterator[int]:
    server = make_server(_app(), HOST, 0, tls)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        server.stop()
        thread.join()


@pytest.fixture
def port() -> Iterator[int]:
    """Yield the port of a service over plain HTTP."""
    with _running_server() as port:
        yield port


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return a CA and a certificate that it signed for this machine."""
    return make_certificates(tmp_path_factory.mktemp("certificates"), datetime.now(UTC))


def _tls(certificates: Certificates) -> TlsSettings:
    return TlsSettings(cert=certificates.certificate, key=certificates.key)


def _get(port: int, context: ssl.SSLContext | None = None, path: str = "/healthz") -> tuple[int, bytes]:
    """Send a GET request; return the status and the body."""
    connection = (
        http.client.HTTPSConnection(HOST, port, timeout=10, context=context)
        if context
        else http.client.HTTPConnection(HOST, port, timeout=10)
    )
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _exchange(port: int, *parts: bytes) -> bytes:
    """Send raw bytes and return everything that the server sends until it closes the connection."""
    with socket.create_connection((HOST, port), 10) as connection:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        return _read(connection)


def _read(connection: socket.socket) -> bytes:
    content = b""
    with suppress(ConnectionError):
        while block := connection.recv(65536):
            content += block
    return content


def _read_one(connection: socket.socket, responses: int = 1) -> bytes:
    """Return so many responses of a connection that stays open; each has the body `ok`."""
    content = b""
    while content.count(b"\r\n\r\nok") < responses and (block := connection.recv(65536)):
        content += block
    return content


def _answers(clients: list[socket.socket], expected: int) -> list[bytes]:
    """Return the heads of the answers of all clients that have one, once `expected` clients have or time is up."""
    deadline = time.monotonic() + PROMPT_SECONDS
    answered: list[socket.socket] = []
    while len(answered) < expected and time.monotonic() < deadline:
        time.sleep(0.02)
        answered, _, _ = select.select(clients, [], [], 0)
    return [client.recv(65536).partition(b"\r\n\r\n")[0] for client in answered]


def test_https_clients_accept_only_the_right_ca(certificates: Certificates, tmp_path: Path) -> None:
    other = make_certificates(tmp_path / "other", datetime.now(UTC))
    with _running_server(_tls(certificates)) as port:
        assert _get(port, client_context(certificates.authority)) == (200, b"ok")
        with pytest.raises(ssl.SSLCertVerificationError):
            _get(port, client_context(other.authority))


def test_https_refuses_plain_http_and_old_tls(certificates: Certificates) -> None:
    old = client_context(certificates.authority)
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.deprecated_call():
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with _running_server(_tls(certificates)) as port:
        with pytest.raises(ssl.SSLError, match=r"PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL"):
            _get(port, old)
        status, text = _get(port)
        assert (status, b"HTTPS only" in text) == (400, True)
        newest = client_context(certificates.authority)
        raw = socket.create_connection((HOST, port), 10)
        with newest.wrap_socket(raw, server_hostname=HOST) as connection:
            assert connection.version() == "TLSv1.3"


def test_a_disconnect_before_the_handshake_is_no_error(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    reset_on_close = struct.pack("ii", 1, 0)
    with _running_server(_tls(certificates)) as port:
        for _ in range(40):
            with socket.create_connection((HOST, port), 10) as client:
                client.sendall(b"\x16\x03\x01")
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset_on_close)
        assert _get(port, client_context(certificates.authority)) == (200, b"ok")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_renewed_certificate_is_loaded_and_a_broken_one_is_not(tmp_path: Path) -> None:
    first = make_certificates(tmp_path, datetime.now(UTC))
    before = client_context(first.authority)
    with _running_server(_tls(first)) as port:
        first.certificate.write_text("half a certif")
        assert _get(port, before) == (200, b"ok")
        make_certificates(tmp_path, datetime.now(UTC))
        assert _get(port, client_context(first.authority)) == (200, b"ok")
        with pytest.raises(ssl.SSLCertVerificationError):
            _get(port, before)


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
        make_server(_app(), HOST, 0, TlsSettings(cert=certificates.certificate, key=key))


def test_a_port_in_use_is_one_clear_message(port: int) -> None:
    with pytest.raises(InvalidInput, match=f"Cannot listen on {HOST}:{port}"):
        make_server(_app(), HOST, port, PLAIN)


def test_responses_do_not_name_the_server_software(port: int) -> None:
    answer = _exchange(port, GET)
    assert answer.endswith(b"\r\n\r\nok")
    assert b"server:" not in answer.lower()
    assert b"heroot" not in answer + _exchange(port, b"nonsense\r\n\r\n")


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_silent_and_slow_clients_do_not_block_others(certificates: Certificates, tls: bool) -> None:
    """Neither a silent client nor one that has begun its handshake or its headers occupies a thread."""
    context = client_context(certificates.authority) if tls else None
    with _running_server(_tls(certificates) if tls else PLAIN) as port, ExitStack() as opened:
        for number in range(2 * THREADS + 40):
            client = opened.enter_context(socket.create_connection((HOST, port), 10))
            if number < 2 * THREADS:
                client.sendall(b"\x16\x03" if tls else GET[:9])
        began = time.monotonic()
        assert _get(port, context) == (200, b"ok")
        assert time.monotonic() - began < PROMPT_SECONDS


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_headers_sent_byte_by_byte_occupy_no_thread(certificates: Certificates, tls: bool) -> None:
    """More slow clients than threads: others are answered between their bytes, and so are they in the end."""
    context = client_context(certificates.authority)
    with _running_server(_tls(certificates) if tls else PLAIN) as port, ExitStack() as opened:
        clients: list[socket.socket] = []
        for _ in range(THREADS + 8):
            plain = socket.create_connection((HOST, port), 10)
            client = context.wrap_socket(plain, server_hostname=HOST) if tls else plain
            clients.append(opened.enter_context(client))
        began = time.monotonic()
        for number in range(len(GET)):
            for client in clients:
                client.sendall(GET[number : number + 1])
            if number % 8 == 0:
                assert _get(port, context if tls else None) == (200, b"ok")
        assert time.monotonic() - began < PROMPT_SECONDS * 2
        assert all(_read_one(client).endswith(b"ok") for client in clients)


def test_requests_may_follow_one_another_in_any_pieces(port: int) -> None:
    """The server answers two requests that arrive together, and one of which the rest arrives later."""
    with socket.create_connection((HOST, port), 10) as client:
        client.sendall(b"\r\n" + GET + GET + GET[:20])
        assert _read_one(client, 2).count(b"HTTP/1.1 200") == 2
        client.sendall(GET[20:] + b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na")
        assert _read_one(client).endswith(b"ok")
        client.sendall(b"bc" + GET.replace(b"Host", b"Connection: close\r\nHost"))
        assert [b'"length":3' in (remainder := _read(client)), remainder.count(b"HTTP/1.1 200")] == [True, 2]


def test_unfinished_headers_are_told_that_they_are_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "IDLE_SECONDS", 1)
    with _running_server() as port:
        with socket.create_connection((HOST, port), 10) as late:
            late.sendall(GET[:20])
            answer = _read(late)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"headers did not arrive in time" in answer
        with socket.create_connection((HOST, port), 10) as silent:
            assert _read(silent) == b""


def test_slow_bodies_occupy_no_request_slot(port: int) -> None:
    with ExitStack() as opened:
        slow = [
            opened.enter_context(socket.create_connection((HOST, port), 10)) for _ in range(MAX_CONCURRENT_REQUESTS + 2)
        ]
        for client in slow:
            client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\na")
        began = time.monotonic()
        assert _get(port) == (200, b"ok")
        assert time.monotonic() - began < PROMPT_SECONDS
        for client in slow:
            client.sendall(b"bc")
        assert all(b'"length":3' in _read(client) for client in slow)


@pytest.mark.parametrize(
    "sent",
    [
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\na",
        b"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na",
    ],
    ids=["body", "chunks", "unread body"],
)
def test_slow_bodies_leave_threads_for_other_requests(port: int, sent: bytes) -> None:
    """More clients than the server has threads; those for whom there is no place get their answer at once."""
    with ExitStack() as opened:
        clients = [opened.enter_context(socket.create_connection((HOST, port), 10)) for _ in range(THREADS + 8)]
        for client in clients:
            client.sendall(sent)
        began = time.monotonic()
        assert [_get(port) for _ in range(3)] == [(200, b"ok")] * 3
        assert time.monotonic() - began < PROMPT_SECONDS
        answers = _answers(clients, len(clients) - MAX_BODIES)
    assert len(answers) == len(clients) - MAX_BODIES
    refused = b"/refuse" in sent
    assert all(answer.startswith(b"HTTP/1.1 401" if refused else b"HTTP/1.1 503") for answer in answers)
    assert all(b"Connection: close" in answer and (refused or b"Retry-After: 2" in answer) for answer in answers)


def test_a_body_that_has_arrived_leaves_its_place(port: int) -> None:
    for _ in range(MAX_BODIES + 1):
        assert b'"length":3' in _exchange(port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        assert b" 400 " in _exchange(port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        assert b" 401 " in _exchange(port, b"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")


@pytest.mark.parametrize("sent", [b"", b"GET /heal", b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na"])
def test_two_hundred_unfinished_connections_do_not_block_others(port: int, sent: bytes) -> None:
    with ExitStack() as opened:
        unfinished = [
            opened.enter_context(socket.create_connection((HOST, port), 10)) for _ in range(MAX_IDLE_CONNECTIONS - 1)
        ]
        for connection in unfinished:
            if sent:
                connection.sendall(sent)
        began = time.monotonic()
        assert _get(port) == (200, b"ok")
        assert time.monotonic() - began < PROMPT_SECONDS


def test_a_request_sent_too_slowly_times_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "REQUEST_SECONDS", 0.6)
    began = time.monotonic()
    with socket.create_connection((HOST, port), 10) as slow, suppress(ConnectionError):
        for letter in GET:
            slow.sendall(bytes([letter]))
            time.sleep(0.05)
            if time.monotonic() - began > 1.5:
                break
        assert b"408" in _read(slow)
    assert time.monotonic() - began < 3


def test_an_incomplete_body_times_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.3)
    with socket.create_connection((HOST, port), 10) as slow:
        slow.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        assert b"408" in _read(slow)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * HEADER_BYTES + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * HEADER_BYTES + b"\r\n\r\n", b"413"),
        (b"GET /healthz HTTP/1.1\nHost: x\n", b"400"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", b"501"),
        (GET[:-2] + b"Authorization: Bearer x\r\nAuthorization: Bearer y\r\n\r\n", b"400"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n", b"400"),
        (b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc", b"400"),
    ],
    ids=[
        "address",
        "headers",
        "line ends",
        "body",
        "negative",
        "encoding",
        "tokens",
        "bad chunk",
        "huge chunk",
        "cut off",
    ],
)
def test_too_large_or_malformed_requests_are_client_errors(port: int, request_bytes: bytes, status: bytes) -> None:
    answer = _exchange(port, request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status)
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"text/html" not in head:  # which is this app's own, without Driftline's error handlers
        error = json.loads(body)["error"]
        assert (sorted(error), error["details"]) == (["code", "details", "message"], [])
    assert _get(port) == (200, b"ok")


def test_the_rest_of_a_chunked_body_is_never_a_request(port: int) -> None:
    chunked = b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b'"length":3' in _exchange(port, b"POST /echo" + chunked + b"3\r\nabc\r\n0\r\n\r\n")
    answers = _exchange(port, b"POST /refuse" + chunked + b"%x\r\n" % len(GET) + GET + b"\r\n0\r\n\r\n")
    assert answers.startswith(b"HTTP/1.1 401")
    assert answers.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "ambiguous",
    [
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nContent-Length: 0\r\n\r\n" % len(GET),
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n 0\r\n\r\n" % len(GET),
        b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : %d\r\n\r\n" % len(GET),
        b"POST /echo HTTP/1.0\r\nConnection: Keep-Alive\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nAuthorization: Bearer y\r\n\r\n",
        b"GET //[x HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["lengths", "folded", "space", "HTTP/1.0", "no encoding", "hosts", "tokens", "address"],
)
def test_ambiguous_requests_are_refused(port: int, ambiguous: bytes) -> None:
    """A proxy in front could read as a body what this server reads as a request, or the reverse."""
    answers = _exchange(port, ambiguous + GET)
    assert answers.startswith(b"HTTP/1.1 400")
    assert answers.count(b"HTTP/1.1") == 1


def test_a_connection_is_reused(port: int) -> None:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    for _ in range(3):
        connection.request("POST", "/echo", body=b"x" * 20_000)
        assert connection.getresponse().read() == b'{"length":20000,"scheme":"http"}\n'
        first = connection.sock
    assert connection.sock is first
    connection.close()


def test_concurrent_requests_are_limited() -> None:
    active, maximum, lock = 0, 0, threading.Lock()
    full = threading.Event()

    def work(environ: object, start_response: Callable[..., object]) -> Iterable[bytes]:
        nonlocal active, maximum
        with lock:
            active += 1
            maximum = max(maximum, active)
            if maximum >= MAX_CONCURRENT_REQUESTS:
                full.set()
        full.wait(10)
        time.sleep(0.05)  # time for one more than allowed
        with lock:
            active -= 1
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    server = make_server(work, HOST, 0, PLAIN)
    serving_thread = threading.Thread(target=server.serve)
    serving_thread.start()
    clients = [threading.Thread(target=_get, args=(server.bind_addr[1],)) for _ in range(20)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    server.stop()
    serving_thread.join()
    assert maximum == MAX_CONCURRENT_REQUESTS


SLOW_SERVICE = """
import sys, time
from driftline.http.server.server import serve
from driftline.settings import TlsSettings

def app(environ, start_response):
    print("begun", flush=True)
    time.sleep(1)
    start_response("200 OK", [("Content-Length", "4")])
    return [b"done"]

serve(app, "127.0.0.1", int(sys.argv[1]), TlsSettings())
print("closed", flush=True)
"""


def test_sigterm_finishes_requests_in_progress() -> None:
    port = ports.any_free()
    command = [sys.executable, "-c", SLOW_SERVICE, str(port)]
    environment = {**os.environ, "PYTHONPATH": "src"}
    with subprocess.Popen(command, cwd=paths.ROOT, env=environment, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        connection = _connect_when_listening(port)
        assert service.stdout.readline() == "begun\n"
        service.send_signal(signal.SIGTERM)
        answer = _read(connection)
        assert answer.endswith(b"done")
        assert service.wait(10) == 0
        assert service.stdout.read() == "closed\n"
        connection.close()


SIGNALLED_SERVICE = """
import gc, os, signal, sys, threading
from driftline.http.server.server import serve
from driftline.settings import TlsSettings

def interrupt(*_):
    if threading.current_thread() is threading.main_thread():
        gc.callbacks.remove(interrupt)
        os.kill(os.getpid(), signal.SIGTERM)

def app(environ, start_response):
    if environ["PATH_INFO"] == "/collect":
        gc.callbacks.append(interrupt)
        gc.set_threshold(1)
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

serve(app, "127.0.0.1", int(sys.argv[1]), TlsSettings())
print("closed", flush=True)
"""


@contextmanager
def _signalled_service() -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = ports.any_free()
    command = [sys.executable, "-c", SIGNALLED_SERVICE, str(port)]
    environment = {**os.environ, "PYTHONPATH": "src"}
    with subprocess.Popen(command, cwd=paths.ROOT, env=environment, stdout=subprocess.PIPE, text=True) as service:
        try:
            _connect_when_listening(port).close()
            yield service, port
        finally:
            service.kill()


def test_a_signal_during_a_callback_stops_the_service() -> None:
    """Python drops an exception that is raised in a callback, such as one of the garbage collector."""
    with _signalled_service() as (service, port):
        assert _get(port, path="/collect") == (200, b"ok")
        with suppress(OSError):
            _get(port)
        assert service.wait(10) == 0


def test_signals_at_any_moment_stop_a_busy_service() -> None:
    rng = random.Random(5)

    def load(port: int) -> None:
        with suppress(OSError, http.client.HTTPException):
            while True:
                _get(port)

    for _ in range(6):
        with _signalled_service() as (service, port):
            clients = [threading.Thread(target=load, args=(port,)) for _ in range(3)]
            for client in clients:
                client.start()
            time.sleep(rng.uniform(0, 0.2))
            for _ in range(2):  # at once: a signal after the last line of a program is Python's own to handle
                service.send_signal(signal.SIGTERM)
            assert service.wait(10) == 0
            assert service.stdout
            assert service.stdout.read() == "closed\n"
            for client in clients:
                client.join()


def _connect_when_listening(port: int) -> socket.socket:
    deadline = time.monotonic() + 20
    while True:
        try:
            connection = socket.create_connection((HOST, port), 10)
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            connection.sendall(GET)
            return connection
