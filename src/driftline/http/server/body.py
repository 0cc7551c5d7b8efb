"""The body of a request, as the app reads it; errors while reading become HTTP errors in the app's error shape."""

from collections.abc import Callable
from threading import BoundedSemaphore
from typing import Any

from cheroot.errors import MaxSizeExceeded
from cheroot.server import HTTPRequest
from cheroot.wsgi import Gateway_10
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout, ServiceUnavailable

RETRY_SECONDS = 2


class RequestBody:
    """The bytes that a client sends after the headers; an error in them closes the connection after the response.

    While it is read it holds one of a few places, so that slow clients leave threads for requests without a body.
    """

    def __init__(self, request: HTTPRequest, places: BoundedSemaphore) -> None:
        """Wrap a request without reading from it."""
        self._request, self._places = request, places
        self._has_place = False

    def read(self, size: int | None = None) -> bytes:
        """Read up to `size` bytes, by default all.

        Raises:
            werkzeug.exceptions.HTTPException: the body is late, too large, truncated or malformed.
        """
        return self._read_with(self._request.rfile.read, size)

    def readline(self, size: int | None = None) -> bytes:
        """Read one line, or up to `size` bytes of it; raises the same errors as `read`."""
        return self._read_with(self._request.rfile.readline, size)

    def close(self) -> None:
        """Release the place; the rest of the body is not read."""
        if self._has_place:
            self._has_place = False
            self._places.release()

    def prepare_response(self) -> None:
        """Close the connection after the response where no place is free for the rest of the body, which stays unread.

        Otherwise the server reads the rest before it sends the headers.
        """
        if self._remaining and not self._take_place():
            self._request.close_connection = True

    @property
    def _remaining(self) -> int:
        """How many announced bytes have not been read; 0 for a chunked body."""
        return int(getattr(self._request.rfile, "remaining", 0))

    def _take_place(self) -> bool:
        self._has_place = self._has_place or self._places.acquire(blocking=False)
        return self._has_place

    def _read_with(self, reader: Callable[[int | None], bytes], size: int | None) -> bytes:
        """Read a body while holding one of the limited places; release the place at the end or on failure."""
        if not self._take_place():
            self._request.close_connection = True
            raise ServiceUnavailable(
                "Too many requests are being sent; wait for the seconds in Retry-After and send this one again.",
                retry_after=RETRY_SECONDS,
            )
        try:
            content = reader(None if size is None or size < 0 else size)
            self._require_complete(content, size)
        except (OSError, ValueError, MaxSizeExceeded) as error:
            self.close()
            self._request.close_connection = True
            raise _http_error(error) from error
        if not content or (not self._remaining and not self._request.chunked_read):
            self.close()
        return content

    def _require_complete(self, content: bytes, size: int | None) -> None:
        """Raise ValueError when the stream ended before the announced Content-Length."""
        ended = size is None or size < 0 or (size > 0 and not content)
        if ended and self._remaining > 0:
            raise ValueError("the body ended before its announced length")


def _http_error(error: Exception) -> Exception:
    if isinstance(error, TimeoutError):
        return RequestTimeout("The body did not arrive in time; send it faster, or in smaller requests.")
    if isinstance(error, MaxSizeExceeded):
        return RequestEntityTooLarge()
    return BadRequest("The body is truncated, too large or wrongly chunked; send it again.")


class BodyGateway(Gateway_10):
    """The gateway that passes each request to the app with its `RequestBody`."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """Return the WSGI environment of the request."""
        self._body = RequestBody(self.req, self.req.server.bodies)
        return {**super().get_environ(), "wsgi.input": self._body}  # type: ignore[no-untyped-call]

    def start_response(self, *arguments: Any, **options: Any) -> Any:
        """Take the status and the headers of the response."""
        self._body.prepare_response()
        return super().start_response(*arguments, **options)

    def respond(self) -> None:
        """Answer the request, and release the place of its body."""
        try:
            super().respond()
        finally:
            self._body.close()
