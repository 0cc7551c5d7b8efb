"""Background processes that outlive the command that started them; a mark in their environment identifies them.

There is no pid file that could be stale: the mark names the var folder and the service, only the stack's processes have
it, and a signal is sent through a pidfd to the process whose mark was read. So a foreign process is never signaled.
"""

import os
import select
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MARK = "DRIFTLINE_STACK_PROCESS"
LOG_LIMIT = 50_000_000
"""Bytes; a larger log is renamed to NAME.log.1 at the next start."""


@dataclass(frozen=True)
class RunningProcess:
    """A process of the stack: the leader of its session."""

    name: str
    pid: int

    def ended_within(self, seconds: float) -> bool:
        """Wait up to so many seconds for the process to end; return whether it ended."""
        with _opened(self.pid) as handle:
            return handle is None or _readable(handle, seconds)


@dataclass(frozen=True)
class ProcessHome:
    """The var folder that processes belong to."""

    var: Path

    def mark(self, name: str) -> str:
        """Return the mark in the environment of a service's process."""
        return f"{self.var.resolve()}:{name}"

    def log(self, name: str) -> Path:
        """Return the log file of a service."""
        return self.var / "log" / f"{name}.log"


def start(
    home: ProcessHome, name: str, command: tuple[str, ...], environment: Mapping[str, str], folder: Path
) -> RunningProcess:
    """Start a process in a session of its own and append its output to the service's log."""
    log = home.log(name)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))
    marked = {**environment, MARK: home.mark(name)}
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=marked,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    process.returncode = 0  # it outlives this object; its end is observed through its pid
    running = RunningProcess(name, process.pid)
    while _mark_of(process.pid) != home.mark(name) and not running.ended_within(0.001):
        continue  # /proc shows a new program's environment a moment after the start
    return running


def find(home: ProcessHome, name: str) -> RunningProcess | None:
    """Return the running process of a service, or None."""
    mark = home.mark(name)
    return next((RunningProcess(name, pid) for pid in _leaders() if _mark_of(pid) == mark), None)


def has_environment(running: RunningProcess, variables: Mapping[str, str]) -> bool:
    """Return whether a process was started with these variables."""
    present = environment_of(running.pid)
    return all(present.get(name) == value for name, value in variables.items())


def stop(home: ProcessHome, running: RunningProcess, seconds: float) -> bool:
    """Send SIGTERM and, after so many seconds, SIGKILL; return whether SIGTERM was enough."""
    with _opened(running.pid) as handle:
        if handle is None or _mark_of(running.pid) != home.mark(running.name):
            return True
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        if _readable(handle, seconds):
            return True
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        _readable(handle, 10)
        return False


def _leaders() -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _is_session_leader(int(entry.name)):
            yield int(entry.name)


def _is_session_leader(pid: int) -> bool:
    try:
        return os.getsid(pid) == pid
    except OSError:
        return False


def _mark_of(pid: int) -> str | None:
    return environment_of(pid).get(MARK)


def environment_of(pid: int) -> dict[str, str]:
    """Return the variables that a process was started with; empty if it has ended or belongs to another user."""
    try:
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return {}
    pairs = (os.fsdecode(entry).partition("=") for entry in entries)
    return {name: value for name, _, value in pairs if name}


@contextmanager
def _opened(pid: int) -> Iterator[int | None]:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def _readable(handle: int, seconds: float) -> bool:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(seconds * 1000))
