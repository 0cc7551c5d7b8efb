"""Workers end with the test, however it ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.integration.soak import processes
from tests.integration.soak.workers import Place
from tests.unit.docs.pages import ROOT

PATIENCE = 30.0


def wait(*_: object) -> None:
    """Work like a poller: without a message from the test."""
    time.sleep(2 * PATIENCE)


def hold(folder: str) -> None:
    """Start all workers, print their ids, and wait."""
    processes.IMPORTED.clear()
    processes.WORKERS.update(dict.fromkeys(processes.WORKERS, wait))
    with processes.all_processes(Place({}, Path(folder), port=1)) as started:
        print(*(process.pid for process in started.values()), flush=True)  # noqa: T201
        time.sleep(2 * PATIENCE)


def test_workers_end_with_a_killed_test(tmp_path: Path) -> None:
    program = f"from {__name__} import hold; hold({str(tmp_path)!r})"
    path = {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    with subprocess.Popen((sys.executable, "-c", program), stdout=subprocess.PIPE, env=os.environ | path) as test:
        assert test.stdout is not None
        started = [int(pid) for pid in test.stdout.readline().split()]
        assert len(started) == len(processes.WORKERS)
        while not all((tmp_path / f"{name}.log").exists() for name in processes.WORKERS):
            time.sleep(0.02)  # a worker opens its log after it has begun to watch the test
        test.kill()
    deadline = time.monotonic() + PATIENCE
    while running := [pid for pid in started if Path(f"/proc/{pid}").exists()]:
        if time.monotonic() > deadline:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"{len(running)} workers still run")
        time.sleep(0.02)
