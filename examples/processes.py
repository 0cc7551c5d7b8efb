"""Processes of an example that run in the background; `python -m examples.processes FOLDER` stops all of a folder.

A process holds the lock of its file as long as it lives, so that no process of another program is ever taken for it.
"""

import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LOOPBACK = "127.0.0.1"
STOP_SECONDS, LOG_LINES = 15.0, 20
"""How long a process may take to end, and the lines of its log that are shown."""
ENDED = "ZX"
"""States of a process that has ended, though its parent may not know."""


@dataclass(frozen=True)
class BackgroundProcess:
    """A process with a name in a folder, which has its lock, its log and its port."""

    name: str
    folder: Path

    @property
    def log(self) -> Path:
        """The file of its output."""
        return self.folder / f"{self.name}.log"

    @property
    def port(self) -> int:
        """The port of the process while it runs; before, the one it had if that is free, or else a new one."""
        file = self.folder / f"{self.name}.port"
        if file.exists() and (self.runs or _can_bind(int(file.read_text()))):
            return int(file.read_text())
        self.folder.mkdir(parents=True, exist_ok=True)
        port = _free_port({int(other.read_text()) for other in self.folder.glob("*.port")})
        file.write_text(str(port))
        return port

    @property
    def runs(self) -> bool:
        """Whether the process runs: its lock is held."""
        if not self.folder.exists():
            return False
        with self._lock() as lock:
            return not _is_free(lock)

    @property
    def end_of_log(self) -> str:
        """The last lines of the log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_LINES:])

    @property
    def listens(self) -> bool | None:
        """Whether the process runs and accepts connections; None if not, as `wait_for` expects."""
        if not self.runs:
            return None
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=1).close()
        except OSError:
            return None
        return True

    def start(self, command: Sequence[str], environment: Mapping[str, str], cwd: Path) -> bool:
        """Start the process unless it runs, and return whether it was started.

        One that runs with another command, or with other addresses of servers in its environment, is stopped before.
        """
        digest = _digest(command, environment)
        if self.runs and self._is_other(digest):
            self.stop()
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock() as lock, self.log.open("ab") as log:
            if not _is_free(lock):
                return False
            process = subprocess.Popen(
                command, env=dict(environment), cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, pass_fds=(lock.fileno(),),
            )  # fmt: skip
            self._command_file.write_text(digest)
            process.returncode = 0  # it goes on after this program, which must not warn about it
            lock.seek(0)
            lock.truncate()
            lock.write(str(process.pid))
            lock.flush()
        return True

    @property
    def _command_file(self) -> Path:
        return self.folder / f"{self.name}.command"

    def _is_other(self, digest: str) -> bool:
        """Return whether the process was started with another command than that of a digest."""
        return self._command_file.exists() and self._command_file.read_text() != digest

    def stop(self) -> None:
        """End the process and its children if it runs; kill them after some seconds."""
        self._end_by(signal.SIGTERM, signal.SIGKILL)

    def kill(self) -> None:
        """Kill the process and its children if it runs, as a loss of power would, and wait for their end."""
        self._end_by(signal.SIGKILL)

    def _end_by(self, *signals: signal.Signals) -> None:
        """Send the signals in turn, each after some seconds, until the process and its children have ended."""
        with self._lock() as lock:
            if _is_free(lock):
                return
            group = int(lock.read())
            for signal_number in signals:
                with suppress(ProcessLookupError):  # it has just ended
                    os.killpg(group, signal_number)
                deadline = time.monotonic() + STOP_SECONDS
                while time.monotonic() < deadline:
                    if _is_free(lock) and not _any_runs(group):
                        return
                    time.sleep(0.05)

    @contextmanager
    def _lock(self) -> Iterator[IO[str]]:
        with (self.folder / f"{self.name}.lock").open("a+") as lock:
            lock.seek(0)
            yield lock


def _is_free(lock: IO[str]) -> bool:
    """Return whether nobody else holds the lock; it is held by the caller then."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _digest(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return a digest of a command and of the variables with addresses of local servers."""
    addresses = sorted(f"{name}={value}" for name, value in environment.items() if LOOPBACK in value)
    return hashlib.sha256("\0".join((*command, *addresses)).encode()).hexdigest()


def _can_bind(port: int) -> bool:
    """Return whether a server could listen on a port; connections of one that has ended do not matter."""
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _free_port(reserved: Collection[int]) -> int:
    """Return a free port that is not reserved for another process."""
    while True:
        with socket.socket() as free:
            free.bind((LOOPBACK, 0))
            port = int(free.getsockname()[1])
        if port not in reserved:
            return port


def _any_runs(group: int) -> bool:
    """Return whether a process of a group runs, such as the Java of a program that has ended."""
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, _, of_group = entry.read_text().rpartition(")")[2].split()[:3]
            if int(of_group) == group and state not in ENDED:
                return True
    return False


def stop_all(folder: Path) -> None:
    """End all processes of a folder that run."""
    for lock in sorted(folder.glob("*.lock")):
        BackgroundProcess(lock.stem, folder).stop()


if __name__ == "__main__":
    stop_all(Path(sys.argv[1]))
