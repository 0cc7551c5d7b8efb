"""A client's connection: HTTP parsed strictly, limits on the size and time of headers, and joined writes."""

import asyncio
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from driftline.http.server.connections import HEADER_BYTES, REQUEST_SECONDS
from serving.web.asgi import refuse

HOSTS = {"1.0": (0, 1), "1.1": (1,)}
"""How many hosts a request of each version of HTTP may name; the parser takes any number, and other versions."""
INVALID_REQUEST = (
    "This request is not valid HTTP; send it with an HTTP client, and with https:// where the service has TLS."
)


class InvalidRequest(Exception):
    """A request that the parser accepts and the service does not."""


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


class StrictConnection(HttpToolsProtocol):
    """A connection that refuses large headers and invalid requests, and is closed where headers arrive too slowly.

    A request has one host, and headers after its body (trailers) are dropped: they would be read as its own.
    """

    _deadline: asyncio.TimerHandle | None = None
    _is_invalid = False
    _reads_headers = False
    _header_bytes = 0
    _held_bytes = 0
    """Bytes of which the parser has passed nothing on yet, such as the beginning of a header."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the deadline of the first request."""
        super().connection_made(cast("asyncio.Transport", JoinedWrites(transport, self.loop)))
        self._restart()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the deadline."""
        super().connection_lost(exc)
        if self._deadline:
            self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived; refuse a request of which the parser would have to hold too much."""
        self._held_bytes += len(data)
        super().data_received(data)
        if self._held_bytes > HEADER_BYTES:
            self.send_400_response(INVALID_REQUEST)

    def on_message_begin(self) -> None:
        """Start to count the bytes of the headers."""
        super().on_message_begin()
        self._reads_headers, self._header_bytes = True, 0

    def on_url(self, url: bytes) -> None:
        """Count the bytes of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Add a header of the request; drop what comes after its body."""
        self._count(len(name) + len(value) + len(b": \r\n"))
        if self._reads_headers:
            super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        """Begin to answer a request that is valid."""
        self._reads_headers, self._held_bytes = False, 0
        hosts = [value for name, value in self.headers if name == b"host"]
        encodings = [value.lower() for name, value in self.headers if name == b"transfer-encoding"]
        if len(hosts) not in HOSTS.get(self.parser.get_http_version(), ()) or encodings not in ([], [b"chunked"]):
            raise InvalidRequest
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Add a part of the body."""
        self._held_bytes = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Start the deadline of the next request, or refuse it where it is invalid."""
        super().on_response_complete()
        self._restart()
        if self._is_invalid and self.cycle.response_complete:
            self._refuse()

    def send_400_response(self, msg: str) -> None:
        """Refuse an invalid request, after the answers to those before it."""
        if self._is_answering and not self.cycle.more_body:
            self._is_invalid = True
        else:
            self._refuse()

    def _refuse(self) -> None:
        """Answer what is not HTTP in the shape of all errors, unless the answer has begun, and close the connection."""
        if not (self._is_answering and self.cycle.response_started):
            self.transport.write(_invalid_request())
        self.transport.close()

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _count(self, size: int) -> None:
        """Count bytes of the request line and the headers, trailers included.

        Raises:
            InvalidRequest: they are too many.
        """
        self._held_bytes = 0
        self._header_bytes += size
        if self._header_bytes > HEADER_BYTES:
            raise InvalidRequest

    def _restart(self) -> None:
        if self._deadline:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(REQUEST_SECONDS, self._close_unless_requested)

    def _close_unless_requested(self) -> None:
        """Close a connection that has not sent all headers; a WebSocket has another protocol by then."""
        if not self._is_answering and self.transport.get_protocol() is self:
            self.transport.close()


def _invalid_request() -> bytes:
    """Return the answer to what is not HTTP."""
    answer = refuse(HTTPStatus.BAD_REQUEST, INVALID_REQUEST)
    headers = [*answer.headers, (b"content-length", str(len(answer.body)).encode())]
    lines = [b"HTTP/1.1 400 Bad Request", *(name + b": " + value for name, value in headers)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + answer.body
