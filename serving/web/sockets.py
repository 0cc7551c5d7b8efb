"""WebSockets: predictions asked for by messages, and the live feed of all predictions."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from serving.feed import PredictionFeed, Subscription
from serving.web.api import HANDSHAKE
from serving.web.asgi import Scope, WholeRequests, WholeResponse

RECHECK_SECONDS = 30.0
"""How often the token of an open feed is checked again."""
SEND_SECONDS = 30.0
"""How long a client may take to receive one message."""
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013
HANDSHAKE_HEADERS = frozenset({b"connection", b"upgrade", b"content-length", b"content-type"})
"""Headers that a request which follows from a handshake does not have."""
OK = 300
"""Statuses below are not refusals."""


@dataclass
class Sockets:
    """The WebSockets of the service: each of their requests goes through the app, which knows tokens and limits."""

    requests: WholeRequests
    feed: PredictionFeed

    async def predict(self, socket: WebSocket) -> None:
        """Answer each message as `POST /predict` answers its body."""
        if not await self._accept(socket):
            return
        with suppress(WebSocketDisconnect):
            while True:
                body = (await socket.receive_text()).encode("utf-8", "replace")
                answer = await self.requests.answer(_request(socket, "POST", "/predict", len(body)), body)
                await asyncio.wait_for(socket.send_text(answer.body.decode()), SEND_SECONDS)
        await _close(socket)

    async def predictions(self, socket: WebSocket) -> None:
        """Send predictions of one model, or of all, as they are made."""
        if not await self._accept(socket):
            return
        awake = asyncio.Event()
        loop = asyncio.get_running_loop()
        subscription = Subscription(socket.query_params.get("model"), lambda: _wake(loop, awake))
        if not self.feed.add(subscription):
            await socket.close(TRY_AGAIN_LATER, "Too many clients watch the feed; try again later.")
            return
        try:
            await self._until_gone(socket, subscription, awake)
        finally:
            self.feed.remove(subscription)

    async def _until_gone(self, socket: WebSocket, subscription: Subscription, awake: asyncio.Event) -> None:
        """Send until the client leaves, is too slow, or its token is refused."""
        sending = asyncio.create_task(self._send(socket, subscription, awake))
        leaving = asyncio.create_task(_leaves(socket))
        finished, pending = await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*finished, *pending, return_exceptions=True)
        await _close(socket)

    async def _send(self, socket: WebSocket, subscription: Subscription, awake: asyncio.Event) -> None:
        """Send what waits; look at the token again from time to time."""
        checked = asyncio.get_running_loop().time()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(awake.wait(), RECHECK_SECONDS)
            awake.clear()
            if asyncio.get_running_loop().time() - checked >= RECHECK_SECONDS:
                checked = asyncio.get_running_loop().time()
                if (refusal := await self._handshake(socket)).status >= OK:
                    await socket.close(POLICY_VIOLATION, _message(refusal)[:120])
                    return
            for event in subscription.take():
                await asyncio.wait_for(socket.send_text(json.dumps(event)), SEND_SECONDS)

    async def _accept(self, socket: WebSocket) -> bool:
        """Accept a handshake, or refuse it with the answer that a request to the same address has."""
        answer = await self._handshake(socket)
        if answer.status < OK:
            await socket.accept()
            return True
        headers = {name.decode(): value.decode() for name, value in answer.headers if name != b"content-length"}
        await socket.send_denial_response(Response(answer.body, answer.status, headers))
        return False

    async def _handshake(self, socket: WebSocket) -> WholeResponse:
        return await self.requests.answer(_request(socket, "GET", socket.url.path), b"")


def _request(socket: WebSocket, method: str, path: str, length: int | None = None) -> Scope:
    """Return the handshake of a WebSocket as a request to a path, with its token, host and origin."""
    scope = socket.scope
    headers = [(name, value) for name, value in scope["headers"] if name not in HANDSHAKE_HEADERS]
    if length is not None:
        headers += [(b"content-length", str(length).encode()), (b"content-type", b"application/json")]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": headers,
        "server": scope["server"],
        "client": scope["client"],
        "scheme": "https" if scope["scheme"] == "wss" else "http",
        HANDSHAKE: True,
    }


def _wake(loop: asyncio.AbstractEventLoop, awake: asyncio.Event) -> None:
    """Wake a task from any thread; a loop that has ended has nobody to wake."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(awake.set)


async def _leaves(socket: WebSocket) -> None:
    """Wait until the client leaves; what it sends is ignored."""
    with suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()


async def _close(socket: WebSocket) -> None:
    if WebSocketState.DISCONNECTED not in (socket.application_state, socket.client_state):
        with suppress(RuntimeError):
            await socket.close()


def _message(answer: WholeResponse) -> str:
    error: Any = json.loads(answer.body)
    return str(error["error"]["message"])
