"""A receiver of alerts: it verifies the signature of each message and keeps it."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STOP_SECONDS = 0.02
"""How often the server looks whether it is to stop."""


class WebhookReceiver:
    """Keeps the genuine messages that arrive; `key` signs them and is set before the first one."""

    def __init__(self) -> None:
        self.key = b""
        self.messages: list[dict[str, Any]] = []

    def take(self, body: bytes, timestamp: str, signature: str) -> bool:
        """Keep a message and return True if its signature is genuine; an id that came before is kept once."""
        expected = "v1=" + hmac.new(self.key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not any(hmac.compare_digest(expected, part.strip()) for part in signature.split(",")):
            return False
        message = json.loads(body)
        if message["id"] not in {earlier["id"] for earlier in self.messages}:
            self.messages.append(message)
        return True


@contextmanager
def receiving() -> Iterator[tuple[WebhookReceiver, str]]:
    """Listen on a free port of this machine while the context lasts; yield the receiver and its address."""
    receiver = WebhookReceiver()

    class WebhookHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            timestamp, signature = (self.headers.get(f"Driftline-{name}", "") for name in ("Timestamp", "Signature"))
            self.send_response(204 if receiver.take(body, timestamp, signature) else 401)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), WebhookHandler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(STOP_SECONDS,), daemon=True)
        thread.start()
        try:
            yield receiver, f"http://127.0.0.1:{server.server_port}/alerts"
        finally:
            server.shutdown()
            thread.join()
