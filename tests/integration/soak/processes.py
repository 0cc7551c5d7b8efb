"""Processes that are killed and started again within milliseconds: forks of one that has imported all."""

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Lock
from typing import Any

import pytest

from tests.integration.soak import workers
from tests.integration.soak.schedule import Process
from tests.integration.soak.workers import Place, Worker
from tests.unit.docs.pages import ROOT

WORKERS: dict[Process, Worker] = {
    Process.SERVER: workers.serve_monitor,
    Process.POLLER_1: workers.poll_all,
    Process.POLLER_2: workers.poll_by_schedule,
    Process.CLIENT_1: workers.use_client,
    Process.CLIENT_2: workers.use_client,
    Process.FILES: workers.ingest_files,
}
IMPORTED = [
    "pytest",
    "driftline.client",
    "driftline.ingest.files.command",
    "driftline.ingest.files.file_batches",
    "monitoring.app",
]
ANSWER_SECONDS = 120.0


class WorkerEnded(Exception):
    """The process was killed before it answered: what it was asked may be done or not."""


class KillableProcess:
    """A process of a worker; whoever uses it after a kill starts it again."""

    def __init__(self, name: Process, place: Place) -> None:
        self.name, self.place, self.kills = name, place, 0
        self._context = multiprocessing.get_context("forkserver")
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._lock = Lock()
        self._is_killed = False

    @property
    def pid(self) -> int | None:
        """The id of the process, None before its first start."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start the process where it does not run."""
        with self._lock:
            if self._process is not None and self._process.is_alive():
                return
            self._pipe, end = self._context.Pipe()
            arguments = (WORKERS[self.name], self.place, self.name.value, end)
            self._process = self._context.Process(target=workers.run, args=arguments, daemon=True)
            self._process.start()
            self._is_killed = False
            end.close()

    def kill(self, *, counted: bool = True) -> None:
        """Kill the process and wait for its end."""
        with self._lock:
            if self._process is not None and self._process.is_alive():
                self._is_killed = True  # the exit code is 255 where the server that forks did not learn of the signal
                self._process.kill()
                self._process.join()
                self.kills += counted

    def call(self, message: Any) -> Any:
        """Send a message and return the answer.

        Raises:
            WorkerEnded: the process was killed meanwhile; it is started again.
        """
        assert self._pipe is not None
        with suppress(BrokenPipeError, EOFError, ConnectionResetError):
            self._pipe.send(message)
            if not self._pipe.poll(ANSWER_SECONDS):
                raise TimeoutError(f"{self.name} does not answer")
            return self._pipe.recv()
        assert self._process is not None
        with self._lock:
            self._process.join()
            exitcode, is_killed = self._process.exitcode, self._is_killed
        self.start()
        if not is_killed:
            log = (self.place.folder / f"{self.name}.log").read_text()
            raise RuntimeError(f"{self.name} ended by itself with {exitcode}:\n{log[-2000:]}")
        raise WorkerEnded


@contextmanager
def all_processes(place: Place) -> Iterator[dict[Process, KillableProcess]]:
    """Start all processes; kill them in the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        for name, value in workers.ODD_ENVIRONMENT.items():
            patch.setenv(name, value)
        multiprocessing.get_context("forkserver").set_forkserver_preload(IMPORTED)
        forkserver.ensure_running()
    processes = {name: KillableProcess(name, place) for name in Process}
    try:
        for process in processes.values():
            process.start()
        yield processes
    finally:
        for process in processes.values():
            process.kill(counted=False)
