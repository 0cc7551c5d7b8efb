"""The body of a request, as the app reads it; errors while reading become HTTP errors in the app's error shape."""

from collections.abc import Callable
from typing import Any

from cheroot.errors import MaxSizeExceeded
from cheroot.server import HTTPRequest
from cheroot.wsgi import Gateway_10
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout


class RequestBody:
    """The bytes that a client sends after the headers; an error in them closes the connection after the response."""

    def __init__(self, request: HTTPRequest) -> None:
        """Wrap a request without reading from it."""
        self._request = request

    def read(self, size: int | None = None) -> bytes:
        """Read up to `size` bytes, by default all.

        Raises:
            werkzeug.exceptions.HTTPException: the body is late, too large, truncated or malformed.
        """
        return self._read_with(self._request.rfile.read, size)

    def readline(self, size: int | None = None) -> bytes:
        """Read one line, or up to `size` bytes of it; raises the same errors as `read`."""
        return self._read_with(self._request.rfile.readline, size)

    def _read_with(self, reader: Callable[[int | None], bytes], size: int | None) -> bytes:
        try:
            content = reader(None if size is None or size < 0 else size)
            self._require_complete(content, size)
        except (OSError, ValueError, MaxSizeExceeded) as error:
            self._request.close_connection = True
            raise _http_error(error) from error
        return content

    def _require_complete(self, content: bytes, size: int | None) -> None:
        """Raise ValueError when the stream ended before the announced Content-Length."""
        ended = size is None or size < 0 or (size > 0 and not content)
        if ended and getattr(self._request.rfile, "remaining", 0) > 0:
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
        return {**super().get_environ(), "wsgi.input": RequestBody(self.req)}  # type: ignore[no-untyped-call]
