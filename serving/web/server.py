"""The ASGI server of the service, with the limits that keep one client from blocking the others."""

import asyncio
import json
import logging
import signal
import socket
import ssl
import sys
from pathlib import Path
from typing import Any, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from driftline.errors import InvalidInput
from driftline.http.server.certificate import ReloadingTlsAdapter
from driftline.http.server.connections import HEADER_BYTES, IDLE_SECONDS, REQUEST_SECONDS
from driftline.http.server.server import SHUTDOWN_SECONDS
from driftline.settings import TlsSettings

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 500
"""Connections that may be open at once, WebSockets included."""
SWITCH_SECONDS = 0.001
"""How long a thread may keep the interpreter from the one that answers clients."""
PLAIN = "This request is not valid HTTP; send it with an HTTP client, and with https:// where the service has TLS."


class JoinedWrites:
    """A transport that joins the writes of one turn of the event loop, such as a response's headers and its body.

    One packet instead of two halves the system calls of both sides, and the client wakes once.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Wrap a transport; all that is not about writing is its own."""
        self._transport, self._loop = transport, loop
        self._waiting: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send some bytes with all others of this turn."""
        if not self._waiting:
            self._loop.call_soon(self._flush)
        self._waiting.append(data)

    def close(self) -> None:
        """Send what was written, then close the connection."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting and not self._transport.is_closing():
            self._transport.write(b"".join(waiting))


class DeadlineProtocol(H11Protocol):
    """A connection that is closed where a request's line and headers take too long to arrive."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request."""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self._restart()

    def on_response_complete(self) -> None:
        """Start the deadline of the next request."""
        super().on_response_complete()
        self._restart()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the deadline."""
        super().connection_lost(exc)
        if self._deadline:
            self._deadline.cancel()

    def _restart(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._close_unless_requested)

    def _close_unless_requested(self) -> None:
        """Close a connection that has not sent all headers; a WebSocket has another protocol by then."""
        if self.conn.their_state is h11.IDLE and self.transport.get_protocol() is self:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP in the shape of all errors."""
        body = json.dumps({"error": {"code": "bad_request", "message": PLAIN, "details": []}}).encode() + b"\n"
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
        if self.conn.our_state is h11.IDLE or self.conn.our_state is h11.SEND_RESPONSE:
            for event in (h11.Response(status_code=400, headers=headers), h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()


def serve(app: Any, host: str, port: int, tls: TlsSettings, most_bytes: int) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish the requests in progress; HTTPS if `tls` names a certificate.

    A message on a WebSocket may have `most_bytes`.

    Raises:
        InvalidInput: the address cannot be bound, or the certificate or its key cannot be used.
    """
    config = uvicorn.Config(
        app,
        http=DeadlineProtocol,
        ws="websockets-sansio",
        ws_max_size=most_bytes,
        ws_max_queue=8,
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=128,
        timeout_keep_alive=round(IDLE_SECONDS),
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )
    config.load()
    sys.setswitchinterval(SWITCH_SECONDS)
    config.ssl = _context(tls.cert, tls.key) if tls.cert and tls.key else None
    with _listening(host, port) as listener:
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises the signal again when it has stopped
            signal.signal(number, lambda *_: None)
        log.info("Listening on %s://%s:%d", "https" if tls.cert else "http", *listener.getsockname()[:2])
        uvicorn.Server(config).run(sockets=[listener])
    log.info("Stopped after the requests in progress")


def _listening(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address; it listens when the server starts."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise InvalidInput(
            f"Cannot listen on {host}:{port}: {error}. Stop the program that uses the port, or choose another port."
        ) from error


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a context that takes a renewed certificate at the next handshake."""
    adapter = ReloadingTlsAdapter(certificate, key)
    context: ssl.SSLContext = adapter.context

    def renew(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        connection.context = adapter.latest_context()

    context.sni_callback = renew
    return context
