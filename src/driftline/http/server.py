"""Serving an app over HTTP or HTTPS, so that no client holds what it does not use.

What a client has not said yet keeps no thread busy, what it says slowly has a deadline, and of what it says in whole
requests a few at a time are worked on, as many as the database has connections for.
"""

import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

from cheroot.wsgi import Server

from driftline.errors import InvalidInput
from driftline.http.body import GatewayOfBodies
from driftline.http.certificate import RenewedCertificate
from driftline.http.connections import IDLE_SECONDS, TimedConnection
from driftline.settings import TlsSettings

log = logging.getLogger(__name__)

AT_WORK = 8
"""Requests that the app works on at a time."""
READERS = 32
"""Threads; those above `AT_WORK` read requests and write answers."""
WAITING = 200
"""Connections that may be open without a request."""
STOP_SECONDS = 30
"""How long requests under way have to end before what they still read is cut off."""
HEADER_BYTES = 32 * 1024
BODY_BYTES = 16 * 1024 * 1024


def serve(app: WSGIApplication, host: str, port: int, tls: TlsSettings) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish the requests under way; HTTPS where `tls` names a certificate.

    Raises:
        InvalidInput: the address cannot be listened on, or the certificate or its key cannot be used.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = make_server(app, host, port, tls)
    log.info("Listening on %s://%s:%d", "https" if tls.cert else "http", *server.bind_addr)
    try:
        server.serve()
    except (KeyboardInterrupt, SystemExit):
        log.info("Stopping; requests under way are finished")
    finally:
        server.stop()


def make_server(app: WSGIApplication, host: str, port: int, tls: TlsSettings) -> "BoundedServer":
    """Make a server that listens already (port 0 is any free one, see `bind_addr`); `serve` answers, `stop` ends it.

    Raises:
        InvalidInput: the address cannot be listened on, or the certificate or its key cannot be used.
    """
    server = BoundedServer(host, port, AtOnce(app, AT_WORK))
    if tls.cert and tls.key:
        server.ssl_adapter = RenewedCertificate(tls.cert, tls.key)
    try:
        server.prepare()
    except OSError as error:
        raise InvalidInput(f"Nobody can listen on {host}:{port}: {error}. Stop who does, or set another.") from error
    return server


class BoundedServer(Server):
    """The server: bounded in threads, connections, sizes and times, its messages in the log."""

    ConnectionClass = TimedConnection
    max_request_header_size = HEADER_BYTES
    max_request_body_size = BODY_BYTES
    keep_alive_conn_limit = WAITING

    def __init__(self, host: str, port: int, app: WSGIApplication) -> None:
        """Take the address and the app; nothing listens yet."""
        super().__init__(
            (host, port),
            app,
            numthreads=READERS,
            max=READERS,
            request_queue_size=128,
            timeout=round(IDLE_SECONDS),
            shutdown_timeout=STOP_SECONDS,
            accepted_queue_size=WAITING,
            accepted_queue_timeout=1,
        )
        self.gateway = GatewayOfBodies

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        """Bind a socket; one that cannot be bound is closed."""
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_

    def process_conn(self, conn: TimedConnection) -> None:
        """Give a connection to a thread; a new one only when its client has said something."""
        if conn.last_used is not None:
            super().process_conn(conn)
        elif self.can_add_keepalive_connection:
            self.put_conn(conn)
        else:
            conn.close()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Log what the server says; only its errors with where they came from."""
        log.log(level, "%s", msg, exc_info=traceback and level >= logging.ERROR)


class AtOnce:
    """An app that works on some requests at a time; the others wait, and so does one whose body is still to come."""

    def __init__(self, app: WSGIApplication, most: int) -> None:
        """Take the app and how many."""
        self._app = app
        self._free = threading.BoundedSemaphore(most)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request when it is its turn."""
        with self._free:
            return self._app({**environ, "wsgi.input": Awaited(environ["wsgi.input"], self._free)}, start_response)


class Awaited:
    """A body that is waited for without a place at work; the app reads it before it answers."""

    def __init__(self, body: InputStream, free: threading.BoundedSemaphore) -> None:
        """Take the body, and the places of which one is held."""
        self._body, self._free = body, free

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, all by default."""
        return self._aside(self._body.read, size)

    def readline(self, size: int = -1) -> bytes:
        """Read a line, or so many bytes of it."""
        return self._aside(self._body.readline, size)

    def _aside(self, read: Callable[[int], bytes], size: int) -> bytes:
        self._free.release()
        try:
            return read(size)
        finally:
            self._free.acquire()
