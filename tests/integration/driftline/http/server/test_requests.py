"""Which requests the server answers, and which it refuses."""

import http.client
import json
import socket

import pytest

from driftline.http.server.connections import HEADER_BYTES
from tests.integration.driftline.http.server.clients import GET, HOST, exchange, get, read, read_one


def test_responses_do_not_name_the_server_software(port: int) -> None:
    answer = exchange(port, GET)
    assert answer.endswith(b"\r\n\r\nok")
    assert b"server:" not in answer.lower()
    assert b"heroot" not in answer + exchange(port, b"nonsense\r\n\r\n")


def test_requests_may_follow_one_another_in_any_pieces(port: int) -> None:
    """The server answers two requests that arrive together, and one of which the rest arrives later."""
    with socket.create_connection((HOST, port), 10) as client:
        client.sendall(b"\r\n" + GET + GET + GET[:20])
        assert read_one(client, 2).count(b"HTTP/1.1 200") == 2
        client.sendall(GET[20:] + b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\na")
        assert read_one(client).endswith(b"ok")
        client.sendall(b"bc" + GET.replace(b"Host", b"Connection: close\r\nHost"))
        assert [b'"length":3' in (remainder := read(client)), remainder.count(b"HTTP/1.1 200")] == [True, 2]


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
    answer = exchange(port, request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status)
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"text/html" not in head:  # which is this app's own, without Driftline's error handlers
        error = json.loads(body)["error"]
        assert (sorted(error), error["details"]) == (["code", "details", "message"], [])
    assert get(port) == (200, b"ok")


def test_the_rest_of_a_chunked_body_is_never_a_request(port: int) -> None:
    chunked = b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert b'"length":3' in exchange(port, b"POST /echo" + chunked + b"3\r\nabc\r\n0\r\n\r\n")
    answers = exchange(port, b"POST /refuse" + chunked + b"%x\r\n" % len(GET) + GET + b"\r\n0\r\n\r\n")
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
    answers = exchange(port, ambiguous + GET)
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
