"""A server that takes batches as the monitor's API does, on request with faults; it keeps what it has stored."""

import gzip
import io
import json
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from pyarrow import ipc

from stack.services.certificates import Certificates

Reply = Callable[["IngestHandler"], None]


@dataclass(frozen=True)
class ReceivedRequest:
    """What was sent."""

    path: str
    headers: dict[str, str]
    rows: list[dict[str, Any]]


def decoded(headers: dict[str, str], body: bytes) -> list[dict[str, Any]]:
    content = gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
    if headers["Content-Type"].endswith("arrow.stream"):
        rows: list[dict[str, Any]] = ipc.open_stream(io.BytesIO(content)).read_all().to_pylist()
        return rows
    return [json.loads(line) for line in content.splitlines()]


class IngestHandler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    receiver: "Receiver"

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # the client was killed between its headers and its body
            self.close_connection = True
            return
        headers = dict(self.headers)
        rows = [] if body == b"no table" else decoded(headers, body)
        request = ReceivedRequest(self.path, headers, rows)
        reply = self.receiver.take(request)
        reply(self)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep standard error clean."""


def answer(status: int, content: object, headers: dict[str, str] | None = None) -> Reply:
    """Return a reply with a body of JSON, or with bytes as they are."""

    def reply(handler: IngestHandler) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return reply


def refusal(status: int, code: str = "invalid_input", detail: str = "some row", **headers: str) -> Reply:
    """Return a reply in the error shape of the API."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return answer(status, {"error": {"code": code, "message": f"It is {code}.", "details": [detail]}}, named)


def cut(handler: IngestHandler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True
    handler.connection.close()


def half_an_answer(handler: IngestHandler) -> None:
    """Announce more than is sent."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"rows": 1')
    handler.close_connection = True


def late(seconds: float) -> Reply:
    """Return a reply that comes after some seconds."""

    def reply(handler: IngestHandler) -> None:
        time.sleep(seconds)
        answer(200, {"rows": 1})(handler)

    return reply


class MonitorServer(ThreadingHTTPServer):
    """Answers each connection in a thread; clients that hang up are meant to."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print only what is not a lost connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@dataclass
class Receiver:
    """Stores rows by their batches, once for each key."""

    faults: list[Reply] = field(default_factory=list)
    """Replies to the next requests, before anything is stored."""
    losses: list[Reply] = field(default_factory=list)
    """Replies to the next requests, after their rows are stored."""
    certificates: Certificates | None = None
    """What the server shows over HTTPS; without them it speaks plain HTTP."""
    refuses: Callable[[dict[str, Any]], bool] = lambda _: False
    """Whether the API refuses a row, and so its batch."""
    lists_rows: bool = False
    """Whether a refusal lists the first hundred refused rows."""
    names_rows: bool = True
    """Whether a refusal names the first refused row, as that of an invalid value does."""
    fails: Callable[[dict[str, Any]], bool] = lambda _: False
    """Whether the API fails on a row, and so on its batch."""
    failure: Reply = field(default_factory=lambda: refusal(500, "driftline_error"))
    """How it fails."""
    requests: list[ReceivedRequest] = field(default_factory=list)
    batches: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        handler = type("BoundHandler", (IngestHandler,), {"receiver": self})
        self._lock = threading.Lock()
        self._server = MonitorServer(("127.0.0.1", 0), handler)
        scheme = "http" if self.certificates is None else "https"
        if self.certificates is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(self.certificates.certificate, self.certificates.key)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, request: ReceivedRequest) -> Reply:
        """Store the rows of a request, unless it is refused or a fault is due."""
        with self._lock:
            self.requests.append(request)
            if self.faults:
                return self.faults.pop(0)
            key = request.headers["Idempotency-Key"]
            if key in self.batches and self.batches[key] != request.rows:
                return refusal(409, "batch_conflict")
            if any(map(self.fails, request.rows)):
                return self.failure
            refused = [number for number, row in enumerate(request.rows, 1) if self.refuses(row)]
            if refused:
                return self._refusal(refused)
            stored = key in self.batches
            self.batches[key] = request.rows
            if self.losses:
                return self.losses.pop(0)
            count = len(request.rows)
            return answer(
                200, {"batch": key, "rows": count, "new": 0 if stored else count, "same": count if stored else 0}
            )

    def _refusal(self, refused: list[int]) -> Reply:
        """Return the refusal of a batch with some invalid rows."""
        if self.lists_rows:
            rows = [{"row": row, "column": "x", "value": "ERR", "cure": "clean it"} for row in refused[:100]]
            error = {"code": "invalid_input", "message": "It is.", "rows": rows, "more_rows": len(refused) > 100}
            return answer(400, {"error": error})
        named = f"{len(refused)} values (first 'ERR', row {refused[0]:,})"
        return refusal(400, detail=named if self.names_rows else "some row")

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All stored rows."""
        return [row for rows in self.batches.values() for row in rows]

    @property
    def ids(self) -> Counter[str]:
        """How often each id was stored."""
        return Counter(row["id"] for row in self.rows)
