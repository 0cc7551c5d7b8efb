"""Requests to the supervisor, and its record of the processes."""

import json
import os
import sys
import time
from pathlib import Path

from stack import paths
from stack.errors import StartFailed
from stack.servers import processes
from stack.servers.processes import ProcessHome, RunningProcess
from stack.servers.readiness import POLL_SECONDS, last_lines
from stack.supervision import history
from stack.supervision.history import ProcessHistory
from stack.supervision.supervisor import NAME, ProcessCommand, histories_of, requests_of

ANSWER_SECONDS = 30
STOP_SECONDS = 10


def find(home: ProcessHome) -> RunningProcess | None:
    """Return the supervisor's process, or None."""
    return processes.find(home, NAME)


def histories(home: ProcessHome) -> dict[str, ProcessHistory]:
    """Return what the supervisor recorded, by the names of processes."""
    return history.read(histories_of(home))


def start_supervisor(home: ProcessHome) -> None:
    """Start the supervisor if it does not run; it needs no settings and no secrets of its own."""
    if find(home):
        return
    command = (sys.executable, "-m", "stack.supervision", str(home.var.resolve()))
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "TZ": "UTC", "PYTHONUNBUFFERED": "1"}
    processes.start(home, NAME, command, environment, paths.ROOT)


def start(home: ProcessHome, command: ProcessCommand) -> RunningProcess:
    """Let the supervisor start a process, which is not supervised before `watch`.

    Raises:
        StartFailed: the command cannot be executed, or the supervisor does not answer.
    """
    start_supervisor(home)
    starts = _starts(home, command.name)
    _send(home, "start", command)
    deadline = time.monotonic() + ANSWER_SECONDS
    while _starts(home, command.name) == starts:
        _require_time(home, deadline)
        time.sleep(POLL_SECONDS / 5)
    past = histories(home)[command.name]
    if past.pid is None:
        raise StartFailed(f"{command.name} {past.reason}. Run `make setup` again.")
    return RunningProcess(command.name, past.pid)


def watch(home: ProcessHome, command: ProcessCommand) -> None:
    """Let the supervisor start a process again whenever it ends."""
    start_supervisor(home)
    _send(home, "watch", command)


def forget(home: ProcessHome, name: str) -> None:
    """Tell the supervisor not to restart a process again, and to forget its history."""
    if find(home):
        _send(home, "forget", ProcessCommand(name, (), {}, ""))


def stop_supervisor(home: ProcessHome) -> None:
    """Stop the supervisor, after the processes, and remove what it recorded."""
    running = find(home)
    if running:
        processes.stop(home, running, STOP_SECONDS)
    for file in (requests_of(home), histories_of(home)):
        file.unlink(missing_ok=True)


def _starts(home: ProcessHome, name: str) -> int:
    return histories(home).get(name, ProcessHistory()).starts


def _send(home: ProcessHome, request: str, command: ProcessCommand) -> None:
    """Write a request into the supervisor's pipe, once it reads it."""
    line = json.dumps({"request": request, "process": command.to_json()}).encode() + b"\n"
    deadline = time.monotonic() + ANSWER_SECONDS
    while True:
        try:
            descriptor = os.open(requests_of(home), os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:  # it has not opened the pipe yet
            _require_time(home, deadline)
            time.sleep(POLL_SECONDS / 5)
            continue
        with os.fdopen(descriptor, "wb") as pipe:
            os.set_blocking(descriptor, True)
            pipe.write(line)
        return


def _require_time(home: ProcessHome, deadline: float) -> None:
    if time.monotonic() > deadline or not find(home):
        raise StartFailed(f"The supervisor does not answer. {last_lines(Path(home.log(NAME)))}")
