"""A service's certificate, taken from its files again when they change."""

import logging
import socket
import ssl
from pathlib import Path
from typing import Any

from cheroot.errors import FatalSSLAlert
from cheroot.makefile import MakeFile
from cheroot.ssl import Adapter

from driftline.errors import InvalidInput
from driftline.tls import server_context

log = logging.getLogger(__name__)


class RenewedCertificate(Adapter):
    """TLS by a certificate and a key in files, read again when they change: a renewed one needs no restart."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Read them; raises `InvalidInput` where that does not work."""
        super().__init__(certificate, key)
        self._seen = self._stamps()
        self.context = server_context(certificate, key)

    def bind(self, sock: socket.socket) -> socket.socket:
        """Leave the listening socket as it is."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        """Begin TLS on a new connection; the handshake comes later.

        Raises:
            FatalSSLAlert: the client is gone already; the server knows it by that.
        """
        self._renew()
        try:
            return self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), {}
        except OSError as error:
            raise FatalSSLAlert(str(error)) from error

    def get_environ(self) -> dict[str, str]:
        """Tell the app nothing of the certificate."""
        return {}

    def makefile(self, sock: socket.socket, mode: str = "r", bufsize: int = -1) -> Any:
        """Make a stream of a socket."""
        return MakeFile(sock, mode, bufsize)

    def _renew(self) -> None:
        stamps = self._stamps()
        if stamps == self._seen:
            return
        self._seen = stamps
        try:
            self.context = server_context(self.certificate, self.private_key)
        except InvalidInput as error:
            log.warning("The certificate changed, and the one before it stays in use: %s", error)
        else:
            log.info("The certificate changed; the new one is in use")

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(file) for file in (self.certificate, self.private_key))


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
