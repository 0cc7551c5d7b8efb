"""The HTTP or HTTPS server of a service, with limits that keep one client from blocking the others.

A connection occupies no thread until the headers of a request have arrived; a slow request has a deadline, at most
`MAX_BODIES` bodies are read at a time, and the app works on at most `MAX_CONCURRENT_REQUESTS` complete requests at a
time, as many as the database has connections for.
"""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from wsgiref.types import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

from cheroot.wsgi import Server

from driftline.errors import InvalidInput
from driftline.http.server.body import BodyGateway
from driftline.http.server.certificate import ReloadingTlsAdapter
from driftline.http.server.connections import HEADER_BYTES, IDLE_SECONDS, DeadlineConnection
from driftline.settings import TlsSettings

log = logging.getLogger(__name__)

MAX_CONCURRENT_REQUESTS = 8
"""Requests that the app works on at a time."""
THREADS = 40
"""Worker threads; those above `MAX_CONCURRENT_REQUESTS` read bodies, write responses, and serve 8 pages that listen."""
MAX_BODIES = 16
"""Bodies that are read at a time: as slow as they may be, the other threads answer requests without a body."""
MAX_IDLE_CONNECTIONS = 200
"""Connections that may be open without a request whose headers have arrived."""
SHUTDOWN_SECONDS = 30
"""How long requests in progress may run on after a stop before their connections are closed."""
BODY_BYTES = 64 * 1024 * 1024
STOPPING = "driftline.stopping"
"""The name in the environment of a request for the event that is set when the server stops."""


def serve(app: WSGIApplication, host: str, port: int, tls: TlsSettings) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish the requests in progress; HTTPS if `tls` names a certificate.

    Raises:
        InvalidInput: the address cannot be bound, or the certificate or its key cannot be used.
    """
    stops: SimpleQueue[str] = SimpleQueue()  # its `put` may interrupt itself, unlike the lock of an event
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stops.put(signal.Signals(received).name))
    server = make_server(app, host, port, tls)
    log.info("Listening on %s://%s:%d", "https" if tls.cert else "http", *server.bind_addr)
    stopping = threading.Thread(target=_stop_after, args=(server, stops), name="stop")
    stopping.start()
    try:
        server.serve()
    finally:
        stops.put("the end of the server")
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a second Ctrl-C does not wait
        stopping.join()


def _stop_after(server: "LimitedServer", stops: SimpleQueue[str]) -> None:
    """Wait for a reason to stop, and stop the server; an exception in a signal handler could be lost instead."""
    log.info("Stopping after the requests in progress (%s)", stops.get())
    server.stop()


def make_server(app: WSGIApplication, host: str, port: int, tls: TlsSettings) -> "LimitedServer":
    """Return a server that already listens; its `serve` method answers requests until `stop` is called.

    Port 0 stands for any free port; `bind_addr` tells which.

    Raises:
        InvalidInput: the address cannot be bound, or the certificate or its key cannot be used.
    """
    stopped = threading.Event()
    server = LimitedServer(host, port, ConcurrencyLimit(app, MAX_CONCURRENT_REQUESTS, stopped), stopped)
    if tls.cert and tls.key:
        server.ssl_adapter = ReloadingTlsAdapter(tls.cert, tls.key)
    try:
        server.prepare()
    except OSError as error:
        raise InvalidInput(
            f"Cannot listen on {host}:{port}: {error}. Stop the program that uses the port, or choose another port."
        ) from error
    return server


class LimitedServer(Server):
    """A server with limits on threads, connections, sizes and times; its messages go to the log."""

    ConnectionClass = DeadlineConnection
    max_request_header_size = HEADER_BYTES
    max_request_body_size = BODY_BYTES
    keep_alive_conn_limit = MAX_IDLE_CONNECTIONS

    def __init__(self, host: str, port: int, app: WSGIApplication, stopped: threading.Event) -> None:
        """Configure the server; it does not listen yet. `stopped` is set as soon as it is to stop."""
        self.stopped = stopped
        super().__init__(
            (host, port),
            app,
            numthreads=THREADS,
            max=THREADS,
            request_queue_size=128,
            timeout=round(IDLE_SECONDS),
            shutdown_timeout=SHUTDOWN_SECONDS,
            accepted_queue_size=MAX_IDLE_CONNECTIONS,
            accepted_queue_timeout=1,
        )
        self.gateway = BodyGateway
        self.bodies = threading.BoundedSemaphore(MAX_BODIES)

    def stop(self) -> None:
        """End the responses that go on until the server stops, finish the others, and close all connections."""
        self.stopped.set()
        super().stop()

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        """Bind a socket; close it if that fails."""
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_

    def process_conn(self, conn: DeadlineConnection) -> None:
        """Pass a connection to a worker thread; a new connection waits until its client has sent something."""
        if conn.last_used is not None:
            super().process_conn(conn)
        elif self.can_add_keepalive_connection:
            self.put_conn(conn)
        else:
            conn.close()

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Log a message of cheroot, with a traceback for errors only."""
        log.log(level, "%s", msg, exc_info=traceback and level >= logging.ERROR)


class ConcurrencyLimit:
    """An app that works on a limited number of requests; a request whose body is still arriving does not count."""

    def __init__(self, app: WSGIApplication, max_requests: int, stopped: threading.Event) -> None:
        """Wrap an app; its requests learn of the end of the server by `stopped`."""
        self._app, self._stopped = app, stopped
        self._slots = threading.BoundedSemaphore(max_requests)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Wait for a slot, then answer the request."""
        with self._slots:
            body = SlotReleasingBody(environ["wsgi.input"], self._slots)
            return self._app({**environ, "wsgi.input": body, STOPPING: self._stopped}, start_response)


def stopping(environ: WSGIEnvironment) -> threading.Event:
    """Return the event that is set when the server of a request stops; without a server it never is."""
    event = environ.get(STOPPING)
    return event if isinstance(event, threading.Event) else threading.Event()


class SlotReleasingBody:
    """A request body that releases the request's slot while it waits for the client's bytes."""

    def __init__(self, body: InputStream, slots: threading.BoundedSemaphore) -> None:
        """Wrap a body; the request holds one of the slots."""
        self._body, self._slots = body, slots

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes, by default all."""
        return self._read_without_slot(self._body.read, size)

    def readline(self, size: int = -1) -> bytes:
        """Read one line, or up to `size` bytes of it."""
        return self._read_without_slot(self._body.readline, size)

    def _read_without_slot(self, reader: Callable[[int], bytes], size: int) -> bytes:
        self._slots.release()
        try:
            return reader(size)
        finally:
            self._slots.acquire()
