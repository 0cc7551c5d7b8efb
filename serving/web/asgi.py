"""The Flask app as an ASGI app whose requests are whole: a slow client never occupies one of its threads."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any
from wsgiref.types import WSGIApplication

from a2wsgi.wsgi import build_environ
from a2wsgi.wsgi_typing import Environ
from werkzeug.test import run_wsgi_app

from driftline.http.server.connections import REQUEST_SECONDS, RESPONSE_SECONDS
from driftline.http.server.server import MAX_BODIES, MAX_CONCURRENT_REQUESTS

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class WholeResponse:
    """A whole response of the app."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


AnswerBrief = Callable[[Environ, bytes], WholeResponse | None]
"""Answers a request at once, or returns None for one that may take longer."""


class WholeRequests:
    """Reads a request's body, lets the app answer it, and sends the response, each within its time.

    The app never waits for a client: it gets a whole body and gives a whole response, which a WebSocket's message may
    ask for too (`answer`). A request that takes less than a millisecond and waits for nothing is answered where it was
    read: to pass it to a thread and back costs as much, and under load far more, since each of both waits for the
    interpreter.
    """

    def __init__(self, app: WSGIApplication, most_bytes: int, answer_brief: AnswerBrief) -> None:
        """Wrap an app; a body may have `most_bytes`, and `answer_brief` answers the requests that need no thread."""
        self._app, self._answer_brief = app, answer_brief
        self._threads = ThreadPoolExecutor(MAX_CONCURRENT_REQUESTS, "request")
        self._most_bytes = most_bytes
        self._bodies = asyncio.Semaphore(MAX_BODIES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of the server."""
        refusal, body = await self._read(scope, receive)
        answer = refusal or await self.answer(scope, body)
        try:
            async with asyncio.timeout(RESPONSE_SECONDS):
                await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
                await send({"type": "http.response.body", "body": answer.body})
        except TimeoutError:
            return  # the server closes the connection of a response that is not complete

    async def answer(self, scope: Scope, body: bytes) -> WholeResponse:
        """Let the app answer a request whose body is there."""
        environ = build_environ(scope, BytesIO(body))  # type: ignore[arg-type]  # any stream will do
        environ["wsgi.input_terminated"] = True  # type: ignore[typeddict-unknown-key]  # the body is whole, whatever its Content-Length
        if (answer := self._answer_brief(environ, body)) is not None:
            return answer
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, environ)

    def _call(self, environ: Environ) -> WholeResponse:
        """Call the app once for the whole response: a2wsgi's middleware takes several steps for it."""
        parts, status, headers = run_wsgi_app(self._app, {**environ}, buffered=True)
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        return WholeResponse(int(status[:3]), raw, b"".join(parts))

    async def _read(self, scope: Scope, receive: Receive) -> tuple[WholeResponse | None, bytes]:
        """Return the body, or the answer to a client that sends too much or too slowly."""
        if not _has_body(scope):
            return None, b""
        try:
            async with asyncio.timeout(REQUEST_SECONDS), self._bodies:
                return await self._body(receive)
        except TimeoutError:
            return refuse(HTTPStatus.REQUEST_TIMEOUT, "The request body did not arrive in time; send it again."), b""

    async def _body(self, receive: Receive) -> tuple[WholeResponse | None, bytes]:
        """Return the body, or the refusal of one that is too large or ends early."""
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return refuse(HTTPStatus.BAD_REQUEST, "The request body ended early; send it again."), b""
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._most_bytes:
                text = "The request body is too large; send less per request, or raise DRIFTLINE_MAX_BODY."
                return refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text), b""
        return None, bytes(body)


def by_protocol(http: AsgiApp, websockets: AsgiApp) -> AsgiApp:
    """Return an app that passes requests of HTTP to one app, and WebSockets to another."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (http if scope["type"] == "http" else websockets)(scope, receive, send)

    return app


def _has_body(scope: Scope) -> bool:
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def refuse(status: HTTPStatus, message: str) -> WholeResponse:
    """Return an error in the shape that the app gives its own, and close the connection."""
    error = {"code": status.name.lower(), "message": message, "details": []}
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    return WholeResponse(status.value, headers, json.dumps({"error": error}).encode() + b"\n")
