"""Client connections with deadlines (handshake, request, response) and requests that are parsed strictly.

A connection takes a thread only while there is something to do: its handshake and the headers of a request are read as
far as they have arrived, without waiting, and the connection goes back to the selector until more arrives.
"""

import errno
import json
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from cheroot.makefile import MakeFile, StreamReader, StreamWriter
from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest
from cheroot.wsgi import Server

log = logging.getLogger(__name__)

IDLE_SECONDS = 10.0
"""How long a client may send nothing, between requests or within one."""
REQUEST_SECONDS = 20.0
"""How long a client may take to send a request, headers and body."""
RESPONSE_SECONDS = 60.0
"""How long a client may take to receive a response."""
HEADER_BYTES = 32 * 1024
"""The largest request line with headers that is accepted."""
END_OF_HEADERS = re.compile(rb"\n\r\n|(?<!\r)\n")
"""An empty line, or a line without a carriage return, which makes the request invalid."""
HEADER_NAME = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""A valid header name (a token of RFC 9110)."""
UNREPEATABLE_HEADERS = frozenset({b"Content-Length", b"Host", b"Authorization"})
"""Headers that a request may contain only once: a proxy might use the other of two values."""
LATE_HEADERS = "The headers did not arrive in time; send the request faster."
PLAIN_HTTP_RESPONSE = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
    b'{"error": {"code": "bad_request", "message": "This port accepts HTTPS only; use https:// instead.", '
    b'"details": []}}\n'
)


class DeadlineSocket:
    """A socket that limits the time for receiving a request and for sending its response."""

    def __init__(self, sock: socket.socket) -> None:
        """Wrap a connected socket."""
        self._socket = sock
        self.next_request()

    def __getattr__(self, name: str) -> Any:
        """Return any other attribute of the wrapped socket."""
        return getattr(self._socket, name)

    def next_request(self) -> None:
        """Reset both deadlines; each starts with the first byte read or written."""
        self._request_deadline: float | None = None
        self._response_deadline: float | None = None
        self.waits = True
        self.has_ended = False

    def wait_for_bytes(self, waits: bool) -> None:
        """Choose whether reading waits for bytes, or raises `BlockingIOError` where none have arrived.

        Raises:
            TimeoutError: the request's deadline has passed.
        """
        self._limit_request()
        self.waits = waits
        if not waits:
            self._socket.settimeout(0)

    def recv_into(self, buffer: Any, *options: int) -> int:
        """Read the available bytes; raises `TimeoutError` once the request's deadline has passed."""
        if self.waits:
            self._limit_request()
        try:
            received = self._socket.recv_into(buffer, *options)
        except ssl.SSLWantReadError as error:
            raise BlockingIOError(errno.EAGAIN, str(error)) from error
        self.has_ended = not received
        return received

    def send(self, data: Any) -> int:
        """Write as many bytes as the socket accepts; raises `TimeoutError` once the response's deadline has passed."""
        self._response_deadline = self._response_deadline or time.monotonic() + RESPONSE_SECONDS
        self._limit_until(self._response_deadline)
        return self._socket.send(data)

    def _limit_request(self) -> None:
        self._request_deadline = self._request_deadline or time.monotonic() + REQUEST_SECONDS
        self._limit_until(self._request_deadline)

    def _limit_until(self, deadline: float) -> None:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError("timed out")  # cheroot recognizes the error by this text
        self._socket.settimeout(min(remaining, IDLE_SECONDS))


class ResponseHeaders(list[tuple[bytes, bytes]]):
    """Headers of a response, without `Server`."""

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Add a header."""
        if header[0] != b"Server":
            super().append(header)


class StrictHeaderReader(HeaderReader):
    """A header parser that rejects requests with an invalid header name, for example with a space at its end."""

    def _transform_key(self, key_name: bytes) -> bytes:
        if not HEADER_NAME.fullmatch(key_name):
            raise ValueError("Malformed Header Name.")
        return key_name.title()


class RequestHeaders(dict[bytes, bytes]):
    """Headers of a request; those in `UNREPEATABLE_HEADERS` may occur once."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        """Add a header; raises `ValueError`, which cheroot answers with 400, for a repeated one."""
        if name in UNREPEATABLE_HEADERS and name in self:
            raise ValueError(f"More than one {name.decode()} Header.")
        super().__setitem__(name, value)


class StrictRequest(HTTPRequest):
    """A request with an unambiguous end: no byte of its body can be read as the next request."""

    header_reader = StrictHeaderReader()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Create the request with strict header collections."""
        super().__init__(*arguments, **options)
        self.inheaders = RequestHeaders()
        self.outheaders = ResponseHeaders()

    def read_request_line(self) -> bool:
        """Read the request line; an invalid URI is answered with 400."""
        try:
            return bool(super().read_request_line())  # type: ignore[no-untyped-call]
        except ValueError:
            self.simple_response("400 Bad Request", "Malformed Request-URI")
            return False

    def read_request_headers(self) -> bool:
        """Read the headers; a length that is not a number, or chunks where HTTP/1.0 has none, is answered with 400."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        has_valid_length = self.inheaders.get(b"Content-Length", b"0").isdigit()
        if has_valid_length and self.chunked_read is (b"Transfer-Encoding" in self.inheaders):
            return True
        malformed = "Transfer-Encoding" if has_valid_length else "Content-Length"
        self.simple_response("400 Bad Request", f"Malformed {malformed} Header.")
        return False

    def simple_response(self, status: str | int, msg: str = "") -> None:
        """Answer a request that no app sees with an error of the same shape as an app's, and close the connection."""
        code = HTTPStatus(int(str(status).split()[0]))
        self.close_connection = True
        with suppress(OSError):  # the client has gone
            self.conn.wfile.write(_error_response(code, msg))

    def send_headers(self) -> None:
        """Send the headers; a chunked body may be unread in part, so the connection closes after it."""
        self.close_connection = self.close_connection or self.chunked_read
        super().send_headers()


def _error_response(status: HTTPStatus, message: str) -> bytes:
    """Return an error response in the JSON shape of `driftline.http.web`."""
    error = {"code": status.name.lower(), "message": message or f"{status.phrase}.", "details": []}
    body = json.dumps({"error": error}).encode() + b"\n"
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: application/json\r\nConnection: close\r\n\r\n"
    )
    return head.encode("ascii") + body


class RequestReader(StreamReader):
    """The bytes that a client sends; tells whether the headers of a request have arrived."""

    def __init__(self, sock: DeadlineSocket) -> None:
        """Read from a socket into a buffer in which the headers of a request have room."""
        super().__init__(sock, "rb", HEADER_BYTES + 1024)
        self._socket = sock
        self.is_incomplete = False

    def receive_headers(self) -> bool:
        """Read what has arrived; return whether a thread can parse the headers without waiting.

        That is so too for headers that are invalid, too large or cut off, which will be refused.
        """
        previous = -1
        while not _are_headers_complete(received := self.peek(HEADER_BYTES + 1)):
            if len(received) == previous:
                self.is_incomplete = bool(received)
                return self._socket.has_ended
            previous = len(received)
        self.is_incomplete = False
        return True

    def has_data(self) -> bool:
        """Return whether bytes have been read that nobody has looked at: not those of incomplete headers."""
        return not self.is_incomplete and bool(super().has_data())  # type: ignore[no-untyped-call]


def _are_headers_complete(received: bytes) -> bool:
    """Return whether the bytes contain all headers of a request, or more than may be sent.

    An empty line may precede them.
    """
    return len(received) > HEADER_BYTES or END_OF_HEADERS.search(received.removeprefix(b"\r\n")) is not None


class DeadlineConnection(HTTPConnection):
    """A connection with deadlines for its handshake, requests and responses."""

    RequestHandlerClass = StrictRequest

    def __init__(self, server: Server, sock: socket.socket, makefile: Callable[..., Any] = MakeFile) -> None:
        """Wrap a connected socket."""
        self._deadline_socket = DeadlineSocket(sock)
        super().__init__(server, sock, self._open_file)
        self._is_between_requests = True

    def _open_file(self, _: socket.socket, mode: str, size: int) -> Any:
        """Return the file of one direction."""
        if "r" in mode:
            return RequestReader(self._deadline_socket)
        return StreamWriter(self._deadline_socket, mode, size)

    def communicate(self) -> bool:
        """Answer one request if its headers have arrived; return whether the connection stays open."""
        if self._is_between_requests:
            self._deadline_socket.next_request()
            self._is_between_requests = False
        try:
            self._deadline_socket.wait_for_bytes(False)
            if not (_complete_handshake(self.socket) and self.rfile.receive_headers()):
                return True
            self._deadline_socket.wait_for_bytes(True)
        except OSError as error:
            log.debug("A client's handshake or headers failed: %s", error)
            return False
        self._is_between_requests = True
        return bool(super().communicate())  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Close the connection; a client whose headers are late is told so if that needs no waiting."""
        if self.rfile.is_incomplete:
            with suppress(OSError):
                self.socket.settimeout(0)
                self.socket.send(_error_response(HTTPStatus.REQUEST_TIMEOUT, LATE_HEADERS))
        super().close()


def _complete_handshake(sock: socket.socket) -> bool:
    """Continue the TLS handshake with what has arrived, in a worker thread; return whether it is complete.

    Raises:
        OSError: it has failed.
    """
    if not isinstance(sock, ssl.SSLSocket) or sock.version():
        return True
    try:
        sock.do_handshake()
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError as error:
        if error.reason == "HTTP_REQUEST":
            _answer_plain_http(sock)
        raise
    return True


def _answer_plain_http(sock: ssl.SSLSocket) -> None:
    try:
        socket.socket.sendall(sock, PLAIN_HTTP_RESPONSE)
        socket.socket.recv(sock, 65536)  # unread bytes would turn the close into a reset
    except OSError as error:
        log.debug("A client that sent HTTP to an HTTPS port disconnected: %s", error)
