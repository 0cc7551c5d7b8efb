"""A bad line between a client and a server: cuts connections in the middle, flips a byte, and records the requests."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BLOCK = 65536


class BadLine:
    """Passes bytes on between clients of `port` and a server on another port of loopback.

    `cuts`: after so many bytes of answers each, the connection of that moment is cut. `flip`: the number of the byte
    of all answers that comes changed. `pause`: after so many bytes of answers nothing comes any more, until it is None.
    All may be set at any time; they count from then on.
    """

    def __init__(self, server_port: int) -> None:
        self.cuts: list[int] = []
        self.flip: int | None = None
        self.pause: int | None = None
        self.received = b""
        self._server_port = server_port
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def ranges(self) -> list[str]:
        """The ranges that clients requested, in order."""
        return [value.decode() for value in re.findall(rb"(?im)^range: *(\S+)", self.received)]

    @property
    def addresses(self) -> list[str]:
        """The paths that clients requested, in order."""
        return [value.decode() for value in re.findall(rb"(?:GET|POST) (/\S*) HTTP/", self.received)]

    def close(self) -> None:
        """Cut every connection and take no more."""
        for end in (self._listener, *self._ends):
            _end(end)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._ends.append(client)
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._ends.append(server)
                for source, target, answers in ((client, server, False), (server, client, True)):
                    threading.Thread(target=self._pass, args=(source, target, answers), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while content := source.recv(BLOCK):
                passed = self._answered(content) if answers else self._noted(content)
                target.sendall(passed)
                if len(passed) < len(content):
                    break
        for end in (source, target):
            _end(end)

    def _noted(self, content: bytes) -> bytes:
        with self._lock:
            self.received += content
        return content

    def _answered(self, content: bytes) -> bytes:
        """Return the answer's next bytes, paused, changed or cut off as configured."""
        while self.pause is not None and self.pause <= 0:
            time.sleep(0.01)
        with self._lock:
            if self.pause is not None:
                self.pause -= len(content)
            if self.flip is not None:
                if self.flip < len(content):
                    place = self.flip
                    content = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
                    self.flip = None
                else:
                    self.flip -= len(content)
            if self.cuts and self.cuts[0] <= len(content):
                return content[: max(self.cuts.pop(0) - 1, 0)]
            if self.cuts:
                self.cuts[0] -= len(content)
        return content


def _end(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()


@contextmanager
def bad_line(server_port: int) -> Iterator[BadLine]:
    """Lay a line to a server; it is good until told otherwise."""
    line = BadLine(server_port)
    try:
        yield line
    finally:
        line.close()
