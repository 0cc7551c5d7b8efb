"""Background processes of the examples: started once, ended with their lock, and no other process is taken for them."""

import os
import signal
import sys
from pathlib import Path

import pytest

from examples.monitor_api import wait_for
from examples.processes import BackgroundProcess, stop_all

SLEEP = ("sleep", "60")


@pytest.fixture
def process(tmp_path: Path) -> BackgroundProcess:
    return BackgroundProcess("sleeper", tmp_path / "processes")


def test_a_process_is_started_once_and_stopped(process: BackgroundProcess, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"]}
    try:
        assert process.start(SLEEP, environment, tmp_path)
        assert not process.start(SLEEP, environment, tmp_path)
    finally:
        stop_all(process.folder)
    pid = int((process.folder / "sleeper.lock").read_text())
    os.waitpid(pid, 0)
    assert process.start(("true",), environment, tmp_path), "the lock is free"


def test_a_killed_process_has_ended(process: BackgroundProcess, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"]}
    assert process.start(SLEEP, environment, tmp_path)
    pid = int((process.folder / "sleeper.lock").read_text())
    process.kill()
    assert process.start(("true",), environment, tmp_path)
    assert os.WTERMSIG(os.waitpid(pid, 0)[1]) == signal.SIGKILL


def test_a_stopped_process_has_no_children_left(process: BackgroundProcess, tmp_path: Path) -> None:
    child = "trap '' TERM; touch begun; sleep 0.3; touch ended"
    program = f"import subprocess, time; subprocess.Popen(['sh', '-c', {child!r}]); time.sleep(60)"
    assert process.start((sys.executable, "-c", program), {"PATH": os.environ["PATH"]}, tmp_path)
    wait_for(lambda: (tmp_path / "begun").exists() or None, "The child", 30)
    process.stop()
    assert (tmp_path / "ended").exists()


def test_the_number_of_a_process_that_ended_is_not_signalled(process: BackgroundProcess) -> None:
    process.folder.mkdir()
    (process.folder / "sleeper.lock").write_text(str(os.getpid()))
    process.stop()


def test_the_port_stays(process: BackgroundProcess) -> None:
    assert process.port == BackgroundProcess("sleeper", process.folder).port
    assert process.listens is None
