"""Background processes that outlive the command that started them, found again by a mark in their own environment.

No pid file can go stale: the mark names the var folder and the service, only its own processes carry it, and a signal
goes through a pidfd to the very process that was looked at. So a foreign process is never touched.
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
"""Bytes; a larger log is set aside as NAME.log.1 at the next start."""


@dataclass(frozen=True)
class Running:
    """A process of the stack: the leader of its session."""

    name: str
    pid: int

    def ended_within(self, seconds: float) -> bool:
        """Wait up to so many seconds for its end; tell whether it came."""
        with _opened(self.pid) as handle:
            return handle is None or _readable(handle, seconds)


@dataclass(frozen=True)
class Home:
    """The var folder that processes belong to."""

    var: Path

    def mark(self, name: str) -> str:
        """What the environment of a service's process says."""
        return f"{self.var.resolve()}:{name}"

    def log(self, name: str) -> Path:
        """The log file of a service."""
        return self.var / "log" / f"{name}.log"


def start(home: Home, name: str, command: tuple[str, ...], environment: Mapping[str, str], folder: Path) -> Running:
    """Start a process in a session of its own, its output appended to the service's log."""
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
    process.returncode = 0  # it is meant to outlive this object; its end is watched through its pid
    running = Running(name, process.pid)
    while _mark_of(process.pid) != home.mark(name) and not running.ended_within(0.001):
        continue  # the system shows a new program's environment a moment after it has begun
    return running


def find(home: Home, name: str) -> Running | None:
    """The running process of a service, or None."""
    mark = home.mark(name)
    return next((Running(name, pid) for pid in _leaders() if _mark_of(pid) == mark), None)


def has_environment(running: Running, wanted: Mapping[str, str]) -> bool:
    """Whether a process was started with these variables."""
    present = environment_of(running.pid)
    return all(present.get(name) == value for name, value in wanted.items())


def stop(home: Home, running: Running, seconds: float) -> bool:
    """End a process by SIGTERM, after so many seconds by SIGKILL; tell whether SIGTERM was enough."""
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
    """What a process was started with; nothing for one that has ended and for other people's processes."""
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
