"""Sends batches to the monitor over HTTP."""

import gzip
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit

from driftline import spans
from driftline.client.batches.batch_file import BatchFile, FileFormat
from driftline.client.sending.answers import Answer, BatchOutcome, read_answer
from driftline.errors import InvalidInput

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

TOKEN_VARIABLE = "DRIFTLINE_TOKEN"  # noqa: S105  (the name of a variable)
CONNECT_TIMEOUT = 5.0
LONGEST_BODY = 1_048_576
"""Bytes of an answer that are read."""
CONTENT_TYPES = {FileFormat.NDJSON: "application/x-ndjson", FileFormat.ARROW: "application/vnd.apache.arrow.stream"}


@dataclass(frozen=True)
class Destination:
    """Where batches go: the address of a monitor service, a model, and what the service asks for."""

    url: str
    model: str
    version: int | None = None
    token: str | None = None
    ca: Path | None = None
    timeout: float = 30.0

    def __post_init__(self) -> None:
        """Refuse an invalid address, and read the token from the environment if none is passed."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            msg = f"url is {self.url!r}; pass the address of the monitor, such as 'https://monitor.example.org'."
            raise InvalidInput(msg)
        if self.model in {"", ".", ".."}:
            msg = f"model is {self.model!r}; pass the name of a registered model."
            raise InvalidInput(msg)
        if self.ca is not None and not self.ca.is_file():
            msg = f"ca is {str(self.ca)!r}, which is not a file; pass the PEM file of the monitor's authority."
            raise InvalidInput(msg)
        if self.token is None:
            object.__setattr__(self, "token", os.environ.get(TOKEN_VARIABLE, "").strip() or None)
        if self.token is not None and not (self.token.isascii() and self.token.isprintable() and self.token):
            raise InvalidInput("The token is empty or has characters that no token has; pass it without line ends.")

    @property
    def exposes_token(self) -> bool:
        """Whether the token would cross a network in plain text."""
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        local = host in {"localhost", "::1"} or host.startswith("127.")
        return parts.scheme == "http" and self.token is not None and not local

    @property
    def headers(self) -> dict[str, str]:
        """The headers of every request: who asks, and the token."""
        token = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        return {"User-Agent": "driftline-client", **token}

    def pool(self) -> "PoolManager":
        """Return connections to the service; nothing is connected."""
        from urllib3 import PoolManager, Timeout  # noqa: PLC0415  (a process that only logs does not need it)

        timeout = Timeout(connect=CONNECT_TIMEOUT, read=self.timeout)
        return PoolManager(timeout=timeout, ca_certs=None if self.ca is None else str(self.ca))

    @property
    def folder(self) -> str:
        """The name of the model's folder in the spool folder."""
        model = quote(self.model, safe=" ").replace(".", "%2E")
        return model if self.version is None else f"{model}@{self.version}"

    def address(self, batch: BatchFile) -> str:
        """Return the address that takes a batch."""
        version = "" if self.version is None else "?" + urlencode({"version": self.version})
        return f"{self.url.rstrip('/')}/api/v1/models/{quote(self.model, safe='')}/{batch.kind}{version}"


class MonitorConnection:
    """Connections to one monitor, used by one thread at a time; they are opened when the first batch is sent."""

    def __init__(self, destination: Destination) -> None:
        """Store the destination; nothing is connected."""
        self._destination = destination
        self._pool: PoolManager | None = None

    def send(self, batch: BatchFile, content: bytes) -> Answer:
        """Send a batch once; a failure of the connection is an answer that says to try again."""
        from urllib3.exceptions import (  # noqa: PLC0415  (a process that only logs does not need it)
            ConnectTimeoutError,
            HTTPError,
            NewConnectionError,
            SSLError,
        )

        try:
            response = self._post(batch, content)
            body = response.read(LONGEST_BODY)
            response.close() if response.read(1) else response.release_conn()
        except (HTTPError, OSError) as error:
            message = f"{self._destination.url} does not answer ({reason(error)})"
            unconnected = isinstance(error, NewConnectionError | ConnectTimeoutError | SSLError)
            return Answer(BatchOutcome.RETRY, message, may_be_content=not unconnected)
        return read_answer(response.status, response.headers, body, datetime.now(UTC))

    def _post(self, batch: BatchFile, content: bytes) -> "BaseHTTPResponse":
        """Post the content of a batch and return the response before its body is read."""
        headers = {
            "Content-Type": CONTENT_TYPES[batch.format],
            "Idempotency-Key": batch.key,
            **self._destination.headers,
        }
        if (trace := spans.traceparent()) is not None:
            headers[spans.TRACEPARENT] = trace
        if batch.format is FileFormat.NDJSON:
            headers["Content-Encoding"] = "gzip"
            content = gzip.compress(content, compresslevel=3, mtime=0)
        address = self._destination.address(batch)
        return self._connections().request(
            "POST", address, body=content, headers=headers, redirect=False, retries=False, preload_content=False
        )

    def _connections(self) -> "PoolManager":
        if self._pool is None:
            self._pool = self._destination.pool()
        return self._pool

    def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.clear()
            self._pool = None


def reason(error: Exception) -> str:
    """Return the last part of an error's text, which is the system's; urllib3 puts its own objects before it."""
    cause = error.args[-1] if error.args else error
    return str(cause).rpartition(": ")[2] or type(error).__name__
