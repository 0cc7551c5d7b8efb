"""Processes are found by their mark, and nobody else's is touched."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.servers import processes
from stack.servers.processes import MARK, ProcessHome, RunningProcess

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[ProcessHome]:
    process_home = ProcessHome(tmp_path)
    yield process_home
    running = processes.find(process_home, "sleeper")
    if running:
        processes.stop(process_home, running, 5)


def start(home: ProcessHome, command: tuple[str, ...] = SLEEP, **environment: str) -> RunningProcess:
    return processes.start(home, "sleeper", command, environment, home.var)


def test_a_process_is_found_and_stopped(home: ProcessHome) -> None:
    started = start(home)
    assert processes.find(home, "sleeper") == started
    assert not started.ended_within(0)
    assert processes.stop(home, started, 10)
    assert started.ended_within(5)
    assert processes.find(home, "sleeper") is None


def test_another_var_folder_does_not_see_it(home: ProcessHome, tmp_path: Path) -> None:
    started = start(home)
    elsewhere = ProcessHome(tmp_path / "other")
    assert processes.find(elsewhere, "sleeper") is None
    assert processes.stop(elsewhere, started, 10)
    assert not started.ended_within(0.1)


def test_a_number_taken_over_by_a_foreign_process_is_left_alone(home: ProcessHome) -> None:
    with subprocess.Popen(SLEEP, start_new_session=True) as foreign:
        assert processes.stop(home, RunningProcess("sleeper", foreign.pid), 10)
        assert foreign.poll() is None
        foreign.kill()


def test_a_child_that_inherited_the_mark_is_not_the_service(home: ProcessHome) -> None:
    with subprocess.Popen(SLEEP, env={**os.environ, MARK: home.mark("sleeper")}) as child:
        assert processes.find(home, "sleeper") is None
        child.kill()


def test_one_that_does_not_listen_is_killed(home: ProcessHome) -> None:
    started = start(home, (sys.executable, "-c", STUBBORN))
    while not home.log("sleeper").read_text():
        assert not started.ended_within(0.01)
    assert not processes.stop(home, started, 0.1)
    assert started.ended_within(5)


def test_it_knows_what_it_was_started_with(home: ProcessHome) -> None:
    started = start(home, DB_PORT="3307")
    assert processes.has_environment(started, {"DB_PORT": "3307"})
    assert not processes.has_environment(started, {"DB_PORT": "3308"})
    assert not processes.has_environment(started, {"DB_NAME": "RawData"})


def test_what_it_says_is_in_its_log(home: ProcessHome) -> None:
    started = start(home, (sys.executable, "-c", "print('hello')"))
    assert started.ended_within(10)
    assert home.log("sleeper").read_text() == "hello\n"


def test_a_log_that_has_grown_is_set_aside(home: ProcessHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LOG_LIMIT", 3)
    home.log("sleeper").parent.mkdir()
    home.log("sleeper").write_text("long")
    started = start(home, (sys.executable, "-c", "print('new')"))
    assert started.ended_within(10)
    assert home.log("sleeper").read_text() == "new\n"
    assert home.log("sleeper").with_suffix(".log.1").read_text() == "long"
