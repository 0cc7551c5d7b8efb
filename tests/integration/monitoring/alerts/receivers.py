"""Servers that take alerts: an HTTP receiver that can be slow or refuse, and a mail server with STARTTLS."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from driftline.tls import server_context
from stack.services.certificates import Certificates


@dataclass
class Post:
    """One request: its path, headers and body."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ReceivingServer:
    """What a server received; `status` is its answer, after `seconds`."""

    port: int
    posts: list[Post] = field(default_factory=list)
    status: int = 200
    seconds: float = 0.0

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def http_receiver() -> Iterator[ReceivingServer]:
    """Serve until the context ends."""

    class ChannelHandler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the sender was killed between its headers and its body
                return
            receiver.posts.append(Post(self.path, dict(self.headers), body))
            time.sleep(receiver.seconds)
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), ChannelHandler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        receiver = ReceivingServer(server.server_port)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield receiver
        server.shutdown()


@dataclass
class MailReceiver:
    """The mail that a server took."""

    port: int
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    status: str = "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.status.startswith("250"):
            self.mails.append(message_from_bytes(envelope.content or b""))  # type: ignore[arg-type]
            self.recipients += envelope.rcpt_tos
        return self.status


@contextmanager
def mail_receiver(certificates: Certificates, port: int) -> Iterator[MailReceiver]:
    """Serve mail for the user `driftline` with the password `right`, by STARTTLS only."""
    receiver = MailReceiver(port)

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, login: Any) -> AuthResult:
        right = isinstance(login, LoginPassword) and (login.login, login.password) == (b"driftline", b"right")
        return AuthResult(success=right, handled=False)

    context = server_context(certificates.certificate, certificates.key)
    controller = Controller(
        receiver, hostname="127.0.0.1", port=port, tls_context=context, require_starttls=True,
        authenticator=authenticate, auth_required=True, loop=asyncio.new_event_loop(),
    )  # fmt: skip
    controller.start()
    yield receiver
    controller.stop()
    controller.loop.close()
