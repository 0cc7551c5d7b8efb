"""A server with an app of three routes, and clients that send it bytes."""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from flask import Flask, Response, jsonify, request

from driftline.http.server import connections
from driftline.http.server.server import make_server
from driftline.settings import TlsSettings
from stack.services.certificates import Certificates

HOST = "127.0.0.1"
PLAIN = TlsSettings(cert=None, key=None)
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
PROMPT_SECONDS = connections.IDLE_SECONDS / 2
"""A blocked request would wait until an idle client is disconnected; any other is answered long before."""


def example_app() -> Flask:
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
def running_server(tls: TlsSettings = PLAIN) -> Iterator[int]:
    server = make_server(example_app(), HOST, 0, tls)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        server.stop()
        thread.join()


def tls_settings(certificates: Certificates) -> TlsSettings:
    return TlsSettings(cert=certificates.certificate, key=certificates.key)


def get(port: int, context: ssl.SSLContext | None = None, path: str = "/healthz") -> tuple[int, bytes]:
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


def exchange(port: int, *parts: bytes) -> bytes:
    """Send raw bytes and return everything that the server sends until it closes the connection."""
    with socket.create_connection((HOST, port), 10) as connection:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_WR)
        return read(connection)


def read(connection: socket.socket) -> bytes:
    content = b""
    with suppress(ConnectionError):
        while block := connection.recv(65536):
            content += block
    return content


def read_one(connection: socket.socket, responses: int = 1) -> bytes:
    """Return so many responses of a connection that stays open; each has the body `ok`."""
    content = b""
    while content.count(b"\r\n\r\nok") < responses and (block := connection.recv(65536)):
        content += block
    return content


def connect_when_listening(port: int) -> socket.socket:
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
