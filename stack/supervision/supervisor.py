"""The supervisor: starts processes on request, and starts them again when they end by themselves."""

import fcntl
import json
import logging
import os
import select
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from stack.servers import processes
from stack.servers.processes import ProcessHome
from stack.supervision import history
from stack.supervision.history import ProcessHistory

log = logging.getLogger("stack.supervision")

NAME = "supervisor"
LOCKED_SECONDS = 0.2
"""How soon to try again while a command of the stack holds its lock."""


@dataclass(frozen=True)
class ProcessCommand:
    """All that is needed to start a process again.

    Attributes:
        name: the name of its log and of its mark.
        command, environment, folder: as it is executed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: str

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Read a command from decoded JSON."""
        return cls(stored["name"], tuple(stored["command"]), stored["environment"], stored["folder"])

    def to_json(self) -> dict[str, Any]:
        """Return the command as values for JSON."""
        return asdict(self)


def requests_of(home: ProcessHome) -> Path:
    """Return the named pipe through which the supervisor receives requests, one line of JSON each."""
    return home.var / "supervisor.pipe"


def histories_of(home: ProcessHome) -> Path:
    """Return the file in which the supervisor writes what happened."""
    return home.var / "supervisor.json"


def lock_of(home: ProcessHome) -> Path:
    """Return the lock that the commands of the stack hold; meanwhile nothing is restarted."""
    return home.var / "stack.lock"


class Supervisor:
    """Supervises the processes of one var folder, in one thread that only wakes when something happens."""

    def __init__(self, home: ProcessHome) -> None:
        """Open the pipe for requests, and read what an earlier supervisor knew."""
        self._home = home
        self._commands: dict[str, ProcessCommand] = {}
        self._handles: dict[int, str] = {}
        self._histories = history.read(histories_of(home))
        self._pipe = _open_pipe(requests_of(home))
        self._received = b""
        self._woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._stopping = False
        signal.signal(signal.SIGTERM, self._stop)
        signal.set_wakeup_fd(wake)

    def run(self) -> None:
        """Supervise until SIGTERM."""
        while not self._stopping:
            ready = self._wait()
            for request, command in self._requests():
                self._answer(request, command)
            for handle in self._handles.keys() & ready:
                self._record_end(handle)
            self._restart_due()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _wait(self) -> set[int]:
        """Wait for a request, an end, a signal or the next start; return the descriptors that can be read."""
        poll = select.poll()
        for descriptor in (self._pipe, self._woken, *self._handles):
            poll.register(descriptor, select.POLLIN)
        due = [past.due_at for name, past in self._histories.items() if past.due_at and name in self._commands]
        seconds = max((min(due) - datetime.now(UTC)).total_seconds(), LOCKED_SECONDS) if due else None
        return {descriptor for descriptor, _ in poll.poll(None if seconds is None else seconds * 1000)}

    def _requests(self) -> list[tuple[str, ProcessCommand]]:
        """Return the requests that have arrived, each as its name and its process."""
        with suppress(BlockingIOError):
            while chunk := os.read(self._pipe, 65536):
                self._received += chunk
        *lines, self._received = self._received.split(b"\n")
        return [request for request in map(_request, lines) if request]

    def _answer(self, request: str, command: ProcessCommand) -> None:
        """Start a process, watch it from now on, or forget it."""
        if request == "start":
            self._start(command)
        elif request == "watch":
            self._watch(command)
        else:
            self._commands.pop(command.name, None)
            self._histories[command.name] = self._histories.get(command.name, ProcessHistory()).forgotten()
            self._write()

    def _start(self, command: ProcessCommand) -> None:
        """Start a process and record it; a command that cannot be executed is recorded as an end."""
        name, past = command.name, self._histories.get(command.name, ProcessHistory())
        try:
            running = processes.start(self._home, name, command.command, command.environment, Path(command.folder))
        except OSError as error:
            now = datetime.now(UTC)
            reason = f"cannot be started: {error}"
            self._histories[name] = past.started(None, now).ended(reason, now, restarted=self._is_watched(name))
        else:
            self._histories[name] = past.started(running.pid, datetime.now(UTC))
            self._handles[os.pidfd_open(running.pid)] = name  # it is a child: its number is not used again
        self._write()

    def _is_watched(self, name: str) -> bool:
        return name in self._commands

    def _watch(self, command: ProcessCommand) -> None:
        """Restart a process from now on; take over one that an earlier supervisor started."""
        self._commands[command.name] = command
        past = self._histories.get(command.name, ProcessHistory())
        if command.name not in self._handles.values() and not self._has_taken_over(command.name):
            past = past.ended("ended while it was not supervised", datetime.now(UTC), restarted=True)
        self._histories[command.name] = past
        self._write()

    def _has_taken_over(self, name: str) -> bool:
        """Find a process that another supervisor started, and wait for its end from now on."""
        running = processes.find(self._home, name)
        with suppress(ProcessLookupError):
            if running:
                self._handles[os.pidfd_open(running.pid)] = name
                return True
        return False

    def _record_end(self, handle: int) -> None:
        """Record why a process ended, and when it is started again."""
        name = self._handles.pop(handle)
        reason = f"{_reason(handle)}{_last_line(self._home.log(name))}"
        os.close(handle)
        if name in self._histories:
            past = self._histories[name].ended(reason, datetime.now(UTC), restarted=self._is_watched(name))
            self._histories[name] = past
            log.warning("%s: %s%s", name, reason, f"; due again at {past.due_at:%H:%M:%S}Z" if past.due_at else "")
            self._write()

    def _restart_due(self) -> None:
        """Start the processes that are due, unless a command of the stack starts or stops processes now."""
        now = datetime.now(UTC)
        due = [name for name in self._commands if name in self._histories and _is_due(self._histories[name], now)]
        if not due:
            return
        with lock_of(self._home).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            for name in due:
                self._start(self._commands[name])

    def _write(self) -> None:
        """Write what happened; a full disk must not end the supervision."""
        try:
            history.write(histories_of(self._home), self._histories)
        except OSError as error:
            log.error("%s cannot be written: %s", histories_of(self._home), error)


def _request(line: bytes) -> tuple[str, ProcessCommand] | None:
    """Return a request and its process; None for a line that a killed command left incomplete."""
    try:
        decoded = json.loads(line)
        return decoded["request"], ProcessCommand.from_json(decoded["process"])
    except (ValueError, KeyError):
        log.warning("A request is incomplete and was ignored.")
        return None


def _is_due(past: ProcessHistory, now: datetime) -> bool:
    return past.due_at is not None and past.due_at <= now


def _open_pipe(path: Path) -> int:
    """Create a named pipe for the owner alone, and open it also for writing, so that it never ends."""
    with suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def _reason(handle: int) -> str:
    """Return how a process ended; only its parent learns that."""
    try:
        result = os.waitid(os.P_PIDFD, handle, os.WEXITED)
    except ChildProcessError:
        return "ended; how is unknown, since another supervisor had started it"
    if result is not None and result.si_code == os.CLD_EXITED:
        return f"exit status {result.si_status}"
    return f"killed by {signal.Signals(result.si_status).name}" if result else "ended"


def _last_line(log_file: Path) -> str:
    """Return the last line of a log as the end of a sentence, or nothing where the log is empty."""
    try:
        with log_file.open("rb") as content:
            content.seek(max(0, log_file.stat().st_size - 2000))
            lines = content.read().decode(errors="replace").split("\n")
    except OSError:
        return ""
    texts = [line.strip() for line in lines if line.strip()]
    return f"; last line of its log: {texts[-1][:300]}" if texts else ""
