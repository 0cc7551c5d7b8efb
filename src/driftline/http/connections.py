"""Connections to a service, with deadlines: for the handshake, for a request to come in, for its answer to go out."""

import logging
import re
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from cheroot.makefile import MakeFile
from cheroot.server import HeaderReader, HTTPConnection, HTTPRequest
from cheroot.wsgi import Server

log = logging.getLogger(__name__)

IDLE_SECONDS = 10.0
"""How long a connection may say nothing, between requests or in one."""
REQUEST_SECONDS = 20.0
"""How long a request may take to come in, headers and body."""
ANSWER_SECONDS = 60.0
"""How long an answer may take to go out."""
NAME = re.compile(rb"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
"""What a header may be called (RFC 9110, a token)."""
ONCE = frozenset({b"Content-Length", b"Host", b"Authorization"})
"""Headers that come once and in one line: of two, a proxy may go by the other one."""
NOT_TLS = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n"
    b"This port speaks HTTPS only; ask for https:// instead.\n"
)


class Timed:
    """A socket whose client has some seconds to send a request, and some to take the answer."""

    def __init__(self, sock: socket.socket) -> None:
        """Take the connected socket."""
        self._socket = sock
        self.next_request()

    def __getattr__(self, name: str) -> Any:
        """Be the socket in all else."""
        return getattr(self._socket, name)

    def next_request(self) -> None:
        """Begin to count anew, each when it begins."""
        self._request_ends: float | None = None
        self._answer_ends: float | None = None

    def recv_into(self, buffer: Any, *rest: int) -> int:
        """Read what is there; raises `TimeoutError` when the client took too long."""
        self._request_ends = self._request_ends or time.monotonic() + REQUEST_SECONDS
        self._wait_until(self._request_ends)
        return self._socket.recv_into(buffer, *rest)

    def send(self, data: Any) -> int:
        """Write what goes out at once; raises `TimeoutError` when the client took too long."""
        self._answer_ends = self._answer_ends or time.monotonic() + ANSWER_SECONDS
        self._wait_until(self._answer_ends)
        return self._socket.send(data)

    def _wait_until(self, end: float) -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")  # the words by which the server knows it
        self._socket.settimeout(min(left, IDLE_SECONDS))


class Unsigned(list[tuple[bytes, bytes]]):
    """Headers of an answer, without the one that says which server wrote it."""

    def append(self, header: tuple[bytes, bytes]) -> None:
        """Add a header."""
        if header[0] != b"Server":
            super().append(header)


class NamedHeaders(HeaderReader):
    """Reads headers; one whose name is none, such as one with a space at its end, makes the request malformed."""

    def _transform_key(self, key_name: bytes) -> bytes:
        if not NAME.fullmatch(key_name):
            raise ValueError("Malformed Header Name.")
        return key_name.title()


class Headers(dict[bytes, bytes]):
    """Headers of a request, of which those in `ONCE` come once."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        """Add a header; raises `ValueError`, by which the server knows a malformed request, for a second one."""
        if name in ONCE and name in self:
            raise ValueError(f"More than one {name.decode()} Header.")
        super().__setitem__(name, value)


class StrictRequest(HTTPRequest):
    """A request whose end is beyond doubt: nothing of its body is taken for the next request."""

    header_reader = NamedHeaders()

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what the server gives."""
        super().__init__(*arguments, **options)
        self.inheaders = Headers()
        self.outheaders = Unsigned()

    def read_request_line(self) -> bool:
        """Read it; an address that is none is refused."""
        try:
            return bool(super().read_request_line())  # type: ignore[no-untyped-call]
        except ValueError:
            self.simple_response("400 Bad Request", "Malformed Request-URI")
            return False

    def read_request_headers(self) -> bool:
        """Read them; a length that is no number is refused, and chunks where there can be none, as in HTTP/1.0."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        has_length = self.inheaders.get(b"Content-Length", b"0").isdigit()
        if has_length and self.chunked_read is (b"Transfer-Encoding" in self.inheaders):
            return True
        malformed = "Transfer-Encoding" if has_length else "Content-Length"
        self.simple_response("400 Bad Request", f"Malformed {malformed} Header.")
        return False

    def send_headers(self) -> None:
        """Send them; after a body in chunks, which may not have been read to its end, the connection is closed."""
        self.close_connection = self.close_connection or self.chunked_read
        super().send_headers()


class TimedConnection(HTTPConnection):
    """A connection whose handshake, requests and answers have deadlines."""

    RequestHandlerClass = StrictRequest

    def __init__(self, server: Server, sock: socket.socket, makefile: Callable[..., Any] = MakeFile) -> None:
        """Take the connected socket."""
        self._timed = Timed(sock)
        super().__init__(server, sock, lambda _, mode, size: makefile(self._timed, mode, size))

    def communicate(self) -> bool:
        """Answer one request; tell whether the connection goes on."""
        self._timed.next_request()
        return _shake_hands(self.socket) and bool(super().communicate())  # type: ignore[no-untyped-call]


def _shake_hands(sock: socket.socket) -> bool:
    """Do the TLS handshake, in a thread of its own and not in the one that accepts; tell whether it came about."""
    if not isinstance(sock, ssl.SSLSocket) or sock.version():
        return True
    sock.settimeout(IDLE_SECONDS)
    try:
        sock.do_handshake()
    except OSError as error:
        if isinstance(error, ssl.SSLError) and error.reason == "HTTP_REQUEST":
            _answer_in_plain(sock)
        log.debug("A TLS handshake failed: %s", error)
        return False
    return True


def _answer_in_plain(sock: ssl.SSLSocket) -> None:
    try:
        socket.socket.sendall(sock, NOT_TLS)
        socket.socket.recv(sock, 65536)  # what is left unread would make the close a reset
    except OSError as error:
        log.debug("A client that spoke HTTP to HTTPS is gone: %s", error)
