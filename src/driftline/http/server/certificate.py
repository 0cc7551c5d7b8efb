"""The certificate of a service, reloaded when its files change."""

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


class ReloadingTlsAdapter(Adapter):
    """TLS with a certificate and a key from files; a renewed certificate takes effect without a restart."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Load both files; raises `InvalidInput` where they cannot be used."""
        super().__init__(certificate, key)
        self._loaded_stamps = self._stamps()
        self.context = server_context(certificate, key)

    def bind(self, sock: socket.socket) -> socket.socket:
        """Return the listening socket unchanged."""
        return sock

    def wrap(self, sock: socket.socket) -> tuple[ssl.SSLSocket, dict[str, str]]:
        """Start TLS on a new connection; the handshake follows later, in a worker thread.

        Raises:
            FatalSSLAlert: the client has already disconnected; cheroot ignores this error.
        """
        self._reload_if_changed()
        try:
            return self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), {}
        except OSError as error:
            raise FatalSSLAlert(str(error)) from error

    def latest_context(self) -> ssl.SSLContext:
        """Return the context of the certificate as its files are now."""
        self._reload_if_changed()
        context: ssl.SSLContext = self.context
        return context

    def get_environ(self) -> dict[str, str]:
        """Return no certificate variables for the app."""
        return {}

    def makefile(self, sock: socket.socket, mode: str = "r", bufsize: int = -1) -> Any:
        """Return a stream of a socket."""
        return MakeFile(sock, mode, bufsize)

    def _reload_if_changed(self) -> None:
        stamps = self._stamps()
        if stamps == self._loaded_stamps:
            return
        self._loaded_stamps = stamps
        try:
            self.context = server_context(self.certificate, self.private_key)
        except InvalidInput as error:
            log.warning("The changed certificate cannot be used; the previous one stays in use: %s", error)
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
