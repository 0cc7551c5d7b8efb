"""A real supervisor restarts real processes that are killed or end; killed itself, it leaves them stoppable."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from stack.errors import StartFailed
from stack.locks import exclusive_lock
from stack.servers import processes
from stack.servers.processes import ProcessHome, RunningProcess
from stack.supervision import control
from stack.supervision.history import ProcessHistory
from stack.supervision.supervisor import NAME, ProcessCommand, lock_of, requests_of

T = TypeVar("T")
PATIENCE = 60


@pytest.fixture
def home(tmp_path: Path) -> Iterator[ProcessHome]:
    process_home = ProcessHome(tmp_path)
    control.start_supervisor(process_home)
    yield process_home
    with exclusive_lock(lock_of(process_home)):
        running = processes.find(process_home, "sleeper")
        if running:
            processes.stop(process_home, running, 5)
        control.stop_supervisor(process_home)
    assert control.find(process_home) is None
    assert not requests_of(process_home).exists()


def command(home: ProcessHome, *arguments: str) -> ProcessCommand:
    return ProcessCommand("sleeper", arguments or ("sleep", "600"), {"PATH": os.environ["PATH"]}, str(home.var))


def supervised(home: ProcessHome) -> RunningProcess:
    running = control.start(home, command(home))
    control.watch(home, command(home))
    return running


def eventually(find: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + PATIENCE
    while not (value := find()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return value


def restarted(home: ProcessHome, former: RunningProcess) -> RunningProcess:
    def another() -> RunningProcess | None:
        running = processes.find(home, "sleeper")
        return None if running == former else running

    return eventually(another)


def past_of(home: ProcessHome) -> ProcessHistory:
    return control.histories(home).get("sleeper", ProcessHistory())


@pytest.mark.slow
def test_a_killed_process_is_started_again_and_the_reason_recorded(home: ProcessHome) -> None:
    first = supervised(home)
    os.kill(first.pid, signal.SIGKILL)
    second = restarted(home, first)
    os.kill(second.pid, signal.SIGTERM)
    restarted(home, second)
    past = eventually(lambda: past_of(home) if past_of(home).restarts == 2 else None)
    assert past.reason == "killed by SIGTERM"
    assert not past.is_crash_loop


@pytest.mark.slow
def test_a_crash_loop_is_recorded_and_slows_down(home: ProcessHome) -> None:
    failing = command(home, "sh", "-c", "echo 'no such table'; exit 3")
    control.start(home, failing)
    control.watch(home, failing)
    past = eventually(lambda: past_of(home) if past_of(home).restarts == 2 else None)
    past = eventually(lambda: past_of(home) if past_of(home).short_runs == 3 else None)
    assert past.reason == "exit status 3; last line of its log: no such table"
    assert past.due_at is not None
    assert past.ended_at is not None
    assert (past.due_at - past.ended_at).total_seconds() == 2


def test_a_process_that_is_not_watched_is_not_started_again(home: ProcessHome) -> None:
    first = control.start(home, command(home))
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: past_of(home).reason)
    assert past_of(home).due_at is None
    second = supervised(home)
    control.forget(home, "sleeper")
    assert processes.stop(home, second, 5)
    eventually(lambda: past_of(home).ended_at)
    assert past_of(home).due_at is None


@pytest.mark.slow
def test_nothing_is_started_while_a_command_of_the_stack_works(home: ProcessHome) -> None:
    first = supervised(home)
    with exclusive_lock(lock_of(home)):
        os.kill(first.pid, signal.SIGKILL)
        due = eventually(lambda: past_of(home).due_at)
        eventually(lambda: time.time() > due.timestamp() + 0.3)
        assert processes.find(home, "sleeper") is None
    restarted(home, first)


@pytest.mark.slow
def test_the_next_supervisor_takes_over_running_processes(home: ProcessHome) -> None:
    first = supervised(home)
    supervisor = control.find(home)
    assert supervisor
    os.kill(supervisor.pid, signal.SIGKILL)
    assert supervisor.ended_within(PATIENCE)
    assert processes.find(home, "sleeper") == first
    control.start_supervisor(home)
    control.watch(home, command(home))
    eventually(lambda: past_of(home).starts == 1)
    os.kill(first.pid, signal.SIGKILL)
    restarted(home, first)
    past = eventually(lambda: past_of(home) if past_of(home).restarts == 1 else None)
    assert past.reason is not None


def test_a_command_that_cannot_be_executed_is_named(home: ProcessHome) -> None:
    with pytest.raises(StartFailed, match=r"sleeper cannot be started: .*no-such-program"):
        control.start(home, command(home, "no-such-program"))


def test_an_incomplete_request_is_ignored(home: ProcessHome) -> None:
    eventually(requests_of(home).exists)
    with requests_of(home).open("wb") as pipe:
        pipe.write(b'{"request": "start", "proc\n')
    supervised(home)
    assert "ignored" in home.log(NAME).read_text()


@pytest.mark.slow
def test_an_idle_supervisor_never_wakes(home: ProcessHome) -> None:
    supervised(home)
    supervisor = control.find(home)
    assert supervisor
    status = Path(f"/proc/{supervisor.pid}/status")

    def slept() -> bool:
        before = status.read_text()
        time.sleep(0.5)
        return status.read_text() == before

    assert eventually(slept)
