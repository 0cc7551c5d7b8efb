"""The runtime API of AWS Lambda, from which a function takes its events and to which it sends its responses."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECONDS = 60


@contextmanager
def lambda_runtime(event: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]], threading.Event]]:
    """Serve the runtime API of Lambda with one event; yield its address, the responses, and whether one came."""
    responses: list[dict[str, Any]] = []
    given, answered, over = threading.Event(), threading.Event(), threading.Event()

    class RuntimeHandler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer the runtime with the one event, and afterwards with none."""
            if given.is_set():
                over.wait(SECONDS)  # the API has no further event
            given.set()
            body = json.dumps(event).encode()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", "request-1")
            self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            responses.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            answered.set()

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), RuntimeHandler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}", responses, answered
        finally:
            over.set()
            server.shutdown()
