"""A connection takes what is valid HTTP, refuses the rest in the shape of all errors, and waits for nobody too long."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from driftline.http.server.connections import HEADER_BYTES
from serving.web import connection
from serving.web.asgi import Receive, Scope, Send
from serving.web.connection import StrictConnection

GET = b"GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

Client = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what arrived, after a moment where the path says so."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    if scope["path"] == "/slow":
        await asyncio.sleep(0.1)
    headers = [[name.decode(), value.decode("latin-1")] for name, value in scope["headers"]]
    content = json.dumps({"path": scope["path"], "headers": headers, "body": body.decode("latin-1")}).encode()
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": content})


def converse(client: Client) -> Any:
    """Return what a client returns that is connected to a server of `echo`."""

    async def conversation() -> Any:
        """Serve one connection."""
        loop = asyncio.get_running_loop()
        config = uvicorn.Config(echo, http=StrictConnection, lifespan="off", log_config=None, server_header=False)
        config.load()
        server = await loop.create_server(lambda: StrictConnection(config, ServerState(), {}, loop), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            try:
                return await asyncio.wait_for(client(reader, writer), 10)
            finally:
                writer.close()

    return asyncio.run(conversation())


def answers(*parts: bytes) -> list[tuple[int, Any]]:
    """Return status and JSON of all answers to some bytes, until the server closes the connection."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """Send the parts one after another, as long as the server takes them."""
        reading = asyncio.create_task(reader.read())
        for part in parts:
            if not reading.done():
                writer.write(part)
                await asyncio.wait([reading], timeout=0.01)
        return await reading

    received: bytes = converse(client)
    answered = []
    while received:
        head, _, received = received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        answered.append((int(head.split()[1]), json.loads(received[:length])))
        received = received[length:]
    return answered


def is_refusal(answer: tuple[int, Any]) -> bool:
    status, body = answer
    return (status, body["error"]["code"], body["error"]["details"]) == (400, "bad_request", [])


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(b"\x16\x03\x01\x00\x05hello", id="a handshake of TLS"),
        pytest.param(b"GET /\r\n\r\n", id="HTTP 0.9"),
        pytest.param(b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", id="HTTP 2"),
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="no host"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", id="two hosts"),
        pytest.param(b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", id="two hosts of HTTP 1.0"),
        pytest.param(b"GET / HTTP/1.1\nHost: a\n\n", id="lines without a carriage return"),
        pytest.param(b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", id="blank before a colon"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", id="folded header"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX: b\x00\r\n\r\n", id="null byte"),
        pytest.param(b"GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", id="path that is not ASCII"),
        pytest.param(POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", id="two lengths"),
        pytest.param(POST + b"Content-Length: +1\r\n\r\na", id="signed length"),
        pytest.param(
            POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="length and chunks"
        ),
        pytest.param(POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", id="compressed chunks"),
        pytest.param(POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="unknown encoding"),
        pytest.param(CHUNKED + b"-1\r\na\r\n0\r\n\r\n", id="negative chunk"),
        pytest.param(CHUNKED + b"1\na\n0\n\n", id="chunk without a carriage return"),
    ],
)
def test_what_is_not_valid_is_refused_in_the_shape_of_all_errors(request_bytes: bytes) -> None:
    (answer,) = answers(request_bytes)
    assert is_refusal(answer)


def test_valid_requests_are_answered_in_their_order() -> None:
    first, chunked, last = answers(GET + CHUNKED + b"2;name=value\r\nab\r\n1\r\nc\r\n0\r\n\r\n" + LAST)
    assert [status for status, _ in (first, chunked, last)] == [200, 200, 200]
    assert (first[1]["path"], chunked[1]["body"], last[1]["path"]) == ("/first", "abc", "/last")


def test_an_invalid_request_is_refused_after_the_earlier_answers() -> None:
    slow, refusal = answers(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n")
    assert (slow[0], slow[1]["path"]) == (200, "/slow")
    assert is_refusal(refusal)


def test_nothing_is_answered_after_the_last_request() -> None:
    ((status, body),) = answers(LAST + GET)
    assert (status, body["path"]) == (200, "/last")


def test_a_blank_behind_a_value_is_not_part_of_it() -> None:
    ((_, body),) = answers(b"GET / HTTP/1.1\r\nHost:  a \t \r\nConnection: close\r\n\r\n")
    assert body["headers"][0] == ["host", "a"]


def test_headers_behind_a_body_are_dropped() -> None:
    """A client that may write a body only, behind a proxy, must not add a token to its request."""
    trailers = b"1\r\na\r\n0\r\nAuthorization: Bearer token\r\nX-More: b\r\n\r\n"
    (status, body), _ = answers(CHUNKED + trailers + LAST)
    assert (status, body["headers"]) == (200, [["host", "a"], ["transfer-encoding", "chunked"]])


ENDLESS = b"a" * 10_000
MORE = 4
"""So many times `ENDLESS` are more than a client may send, and no part is sent after the refusal."""


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([b"GET /", *[ENDLESS] * MORE], id="path"),
        pytest.param([GET[:-2], b"X: ", *[ENDLESS] * MORE], id="value"),
        pytest.param([GET[:-2], b"X", *[ENDLESS] * MORE], id="name"),
        pytest.param([GET[:-2] + b"".join(b"X%d: %s\r\n" % (n, ENDLESS) for n in range(MORE)) + b"\r\n"], id="headers"),
        pytest.param([CHUNKED, b"1\r\na\r\n0\r\nX: ", *[ENDLESS] * MORE], id="trailer"),
        pytest.param([CHUNKED, *[b"1\r\na\r\n0\r\n", *[b"X: " + ENDLESS + b"\r\n"] * MORE, b"Y"]], id="trailers"),
        pytest.param([CHUNKED, b"1;", *[ENDLESS] * MORE], id="extension of a chunk"),
    ],
)
def test_endless_headers_are_refused(parts: list[bytes]) -> None:
    assert len(ENDLESS) * MORE > HEADER_BYTES > len(ENDLESS) * (MORE - 1)
    assert is_refusal(answers(*parts)[-1])


def test_headers_within_the_limit_and_any_body_are_taken() -> None:
    head = b"Content-Length: %d\r\nConnection: close\r\nX: %s\r\n\r\n" % (len(ENDLESS) * MORE, ENDLESS * 3)
    ((status, body),) = answers(POST + head, *[ENDLESS] * MORE)
    assert (status, len(body["body"])) == (200, len(ENDLESS) * MORE)
    small = b"1\r\na\r\n" * HEADER_BYTES
    (status, body), _ = answers(CHUNKED + small + b"0\r\n\r\n" + LAST)
    assert (status, len(body["body"])) == (200, HEADER_BYTES)


def seconds_until_closed(*sent: bytes) -> float:
    """Return after how many seconds the server closes a connection whose client sends some bytes 0.02 s apart."""

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float:
        """Send, and wait for the end."""
        began = time.monotonic()
        reading = asyncio.create_task(reader.read())
        for part in sent:
            if not reading.done():
                writer.write(part)
                await asyncio.wait([reading], timeout=0.02)
        with suppress(ConnectionError):  # where the last byte was sent after the end
            await reading
        return time.monotonic() - began

    return float(converse(client))


def test_headers_that_arrive_too_slowly_close_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.05)
    assert seconds_until_closed() < 2
    assert seconds_until_closed(*[GET[number : number + 1] for number in range(4)]) < 2
    assert seconds_until_closed(GET, *[LAST[number : number + 1] for number in range(4)]) < 2


def test_a_request_in_progress_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its body has a deadline of its own, which is the app's."""
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.02)
    ((status, body),) = answers(b"GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (status, body["path"]) == (200, "/slow")
