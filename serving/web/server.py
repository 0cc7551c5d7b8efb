"""The ASGI server of the service, with the limits that keep one client from blocking the others."""

import asyncio
import logging
import signal
import socket
import ssl
import sys
from pathlib import Path
from typing import Any

import uvicorn

from driftline.errors import InvalidInput
from driftline.http.server.certificate import ReloadingTlsAdapter
from driftline.http.server.connections import IDLE_SECONDS
from driftline.http.server.server import SHUTDOWN_SECONDS
from driftline.settings import TlsSettings
from serving.web.connection import StrictConnection

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 500
"""Connections that may be open at once, WebSockets included."""
SWITCH_SECONDS = 0.001
"""How long a thread may keep the interpreter from the one that answers clients."""
TLS_END_SECONDS = 2.0
"""How long a client may take to end TLS on a connection that the service closes; one that does not read never would."""


class ServiceLoop(asyncio.SelectorEventLoop):
    """An event loop whose server ends TLS in `TLS_END_SECONDS`: idle clients would delay a stop by half a minute."""

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        """Listen as asyncio does."""
        seconds = TLS_END_SECONDS if options["ssl"] else None
        return await super().create_server(*args, ssl_shutdown_timeout=seconds, **options)


def serve(app: Any, host: str, port: int, tls: TlsSettings, most_bytes: int) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish the requests in progress; HTTPS if `tls` names a certificate.

    A message on a WebSocket may have `most_bytes`.

    Raises:
        InvalidInput: the address cannot be bound, or the certificate or its key cannot be used.
    """
    config = uvicorn.Config(
        app,
        http=StrictConnection,
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
    )
    config.load()
    sys.setswitchinterval(SWITCH_SECONDS)
    config.ssl = _context(tls.cert, tls.key) if tls.cert and tls.key else None
    with _bind(host, port) as listener:
        for number in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises the signal again when it has stopped
            signal.signal(number, lambda *_: None)
        log.info("Listening on %s://%s:%d", "https" if tls.cert else "http", *listener.getsockname()[:2])
        with asyncio.Runner(loop_factory=ServiceLoop) as runner:
            runner.run(uvicorn.Server(config).serve(sockets=[listener]))
    log.info("Stopped after the requests in progress")


def _bind(host: str, port: int) -> socket.socket:
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
