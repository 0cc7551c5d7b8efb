"""Slow and silent clients: they time out, and block no other."""

import select
import socket
import time
from contextlib import ExitStack, suppress

import pytest

from driftline.http.server import connections
from driftline.http.server import server as server_module
from driftline.http.server.server import MAX_BODIES, MAX_CONCURRENT_REQUESTS, MAX_IDLE_CONNECTIONS, THREADS
from driftline.tls import client_context
from stack.services.certificates import Certificates
from tests.integration.driftline.http.server.clients import (
    GET,
    HOST,
    PLAIN,
    PROMPT_SECONDS,
    exchange,
    get,
    read,
    read_one,
    running_server,
    tls_settings,
)


def answer_heads(clients: list[socket.socket], expected: int) -> list[bytes]:
    """Return the heads of the answers of all clients that have one, once `expected` clients have or time is up."""
    deadline = time.monotonic() + PROMPT_SECONDS
    answered: list[socket.socket] = []
    while len(answered) < expected and time.monotonic() < deadline:
        time.sleep(0.02)
        answered, _, _ = select.select(clients, [], [], 0)
    return [client.recv(65536).partition(b"\r\n\r\n")[0] for client in answered]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_silent_and_slow_clients_do_not_block_others(certificates: Certificates, tls: bool) -> None:
    """Neither a silent client nor one that has begun its handshake or its headers occupies a thread."""
    context = client_context(certificates.authority) if tls else None
    with running_server(tls_settings(certificates) if tls else PLAIN) as port, ExitStack() as opened:
        for number in range(2 * THREADS + 40):
            client = opened.enter_context(socket.create_connection((HOST, port), 10))
            if number < 2 * THREADS:
                client.sendall(b"\x16\x03" if tls else GET[:9])
        began = time.monotonic()
        assert get(port, context) == (200, b"ok")
        assert time.monotonic() - began < PROMPT_SECONDS


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_headers_sent_byte_by_byte_occupy_no_thread(certificates: Certificates, tls: bool) -> None:
    """More slow clients than threads: others are answered between their bytes, and so are they in the end."""
    context = client_context(certificates.authority)
    with running_server(tls_settings(certificates) if tls else PLAIN) as port, ExitStack() as opened:
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
                assert get(port, context if tls else None) == (200, b"ok")
        assert time.monotonic() - began < PROMPT_SECONDS * 2
        assert all(read_one(client).endswith(b"ok") for client in clients)


def test_unfinished_headers_are_told_that_they_are_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "IDLE_SECONDS", 1)
    with running_server() as port:
        with socket.create_connection((HOST, port), 10) as late:
            late.sendall(GET[:20])
            answer = read(late)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"headers did not arrive in time" in answer
        with socket.create_connection((HOST, port), 10) as silent:
            assert read(silent) == b""


def test_slow_bodies_occupy_no_request_slot(port: int) -> None:
    with ExitStack() as opened:
        slow = [
            opened.enter_context(socket.create_connection((HOST, port), 10)) for _ in range(MAX_CONCURRENT_REQUESTS + 2)
        ]
        for client in slow:
            client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\na")
        began = time.monotonic()
        assert get(port) == (200, b"ok")
        assert time.monotonic() - began < PROMPT_SECONDS
        for client in slow:
            client.sendall(b"bc")
        assert all(b'"length":3' in read(client) for client in slow)


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
        assert [get(port) for _ in range(3)] == [(200, b"ok")] * 3
        assert time.monotonic() - began < PROMPT_SECONDS
        answers = answer_heads(clients, len(clients) - MAX_BODIES)
    assert len(answers) == len(clients) - MAX_BODIES
    refused = b"/refuse" in sent
    assert all(answer.startswith(b"HTTP/1.1 401" if refused else b"HTTP/1.1 503") for answer in answers)
    assert all(b"Connection: close" in answer and (refused or b"Retry-After: 2" in answer) for answer in answers)


def test_a_body_that_has_arrived_leaves_its_place(port: int) -> None:
    for _ in range(MAX_BODIES + 1):
        assert b'"length":3' in exchange(port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        assert b" 400 " in exchange(port, b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc")
        assert b" 401 " in exchange(port, b"POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")


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
        assert get(port) == (200, b"ok")
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
        assert b"408" in read(slow)
    assert time.monotonic() - began < 3


def test_an_incomplete_body_times_out(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.3)
    with socket.create_connection((HOST, port), 10) as slow:
        slow.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        assert b"408" in read(slow)
