"""A request's body as the app reads it: whatever is wrong with it is said in the app's own shape of errors."""

from collections.abc import Callable
from typing import Any

from cheroot.errors import MaxSizeExceeded
from cheroot.server import HTTPRequest
from cheroot.wsgi import Gateway_10
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, RequestTimeout


class Body:
    """What the client sends after the headers; once it was wrong, the connection ends with the answer."""

    def __init__(self, request: HTTPRequest) -> None:
        """Take the request; nothing is read."""
        self._request = request

    def read(self, size: int | None = None) -> bytes:
        """Read so many bytes, all by default.

        Raises:
            werkzeug.exceptions.HTTPException: it did not come in time, is too large, cut off or malformed.
        """
        return self._told(self._request.rfile.read, size)

    def readline(self, size: int | None = None) -> bytes:
        """Read a line, or so many bytes of it; raises what `read` does."""
        return self._told(self._request.rfile.readline, size)

    def _told(self, read: Callable[[int | None], bytes], size: int | None) -> bytes:
        try:
            some = read(None if size is None or size < 0 else size)
            self._require_whole(some, size)
        except (OSError, ValueError, MaxSizeExceeded) as error:
            self._request.close_connection = True
            raise _fault(error) from error
        return some

    def _require_whole(self, some: bytes, size: int | None) -> None:
        """Check that a client which said how much it sends has not gone before."""
        ended = size is None or size < 0 or (size > 0 and not some)
        if ended and getattr(self._request.rfile, "remaining", 0) > 0:
            raise ValueError("the body ended before the length that was announced")


def _fault(error: Exception) -> Exception:
    if isinstance(error, TimeoutError):
        return RequestTimeout("The body did not come in time.")
    if isinstance(error, MaxSizeExceeded):
        return RequestEntityTooLarge()
    return BadRequest("The body is cut off, too large, or not in well-formed chunks.")


class GatewayOfBodies(Gateway_10):
    """Hands requests to the app, each with its `Body`."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]
        """Describe the request to the app."""
        return {**super().get_environ(), "wsgi.input": Body(self.req)}  # type: ignore[no-untyped-call]
