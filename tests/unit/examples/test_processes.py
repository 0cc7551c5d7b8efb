"""Background processes of the examples: started once, ended with their lock, and no other process is taken for them."""

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from examples.monitor_api import NotInTime, ProcessEnded, wait_for
from examples.processes import LOOPBACK, BackgroundProcess, stop_all

SLEEP = ("sleep", "60")
SERVER = "import http.server, sys; http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), None).serve_forever()"


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


@pytest.mark.slow
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


def test_the_port_stays_while_it_is_free(process: BackgroundProcess) -> None:
    assert process.port == BackgroundProcess("sleeper", process.folder).port
    assert process.listens is None


def test_a_port_that_another_program_took_is_drawn_again(process: BackgroundProcess) -> None:
    port = process.port
    with socket.create_server((LOOPBACK, port)):
        assert process.listens is None, "the other program is not taken for the process"
        other = process.port
        assert other != port
    assert process.port == other


@pytest.mark.slow
def test_the_port_stays_during_the_process_and_after_its_connections(
    process: BackgroundProcess, tmp_path: Path
) -> None:
    port = process.port
    command = (sys.executable, "-c", SERVER, f"{port}")
    environment = {"PATH": os.environ["PATH"]}
    try:
        for _ in range(2):
            process.start(command, environment, tmp_path)
            wait_for(lambda: process.listens, "The server", 30, process=process)
            assert process.port == port
            connection = socket.create_connection((LOOPBACK, port))
            process.kill()
            assert process.port == port, "connections of the ended server do not hold the port"
            connection.close()
    finally:
        process.kill()


def test_processes_of_a_folder_have_different_ports(process: BackgroundProcess) -> None:
    process.folder.mkdir()
    ports = {BackgroundProcess(f"process-{number}", process.folder).port for number in range(50)}
    assert len(ports) == 50


def test_a_process_with_another_command_or_address_is_started_again(process: BackgroundProcess, tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"]}
    try:
        assert process.start(SLEEP, environment, tmp_path)
        assert process.start(("sleep", "61"), environment, tmp_path)
        assert not process.start(("sleep", "61"), {**environment, "TERM": "xterm"}, tmp_path)
        moved = {**environment, "AWS_ENDPOINT_URL": f"http://{LOOPBACK}:9000"}
        assert process.start(("sleep", "61"), moved, tmp_path), "a server that it uses has another address"
    finally:
        process.kill()


def test_a_wait_ends_with_the_process_and_shows_its_log(process: BackgroundProcess, tmp_path: Path) -> None:
    process.start(("sh", "-c", "echo the port is taken; exit 1"), {"PATH": os.environ["PATH"]}, tmp_path)
    with pytest.raises(ProcessEnded, match=rf"^The server: .* {process.log}:\nthe port is taken$"):
        wait_for(lambda: process.listens, "The server", 60, process=process)


def test_a_wait_for_a_process_that_runs_names_its_log(process: BackgroundProcess, tmp_path: Path) -> None:
    process.start(SLEEP, {"PATH": os.environ["PATH"]}, tmp_path)
    try:
        with pytest.raises(NotInTime, match=rf"^The server did not appear within 0 s; look at {process.log}\.$"):
            wait_for(lambda: process.listens, "The server", 0, process=process)
    finally:
        process.kill()
