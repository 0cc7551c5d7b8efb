"""A pool of forked processes, which end with their work or with their parent process."""

import ctypes
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from typing import Any, cast

from driftline.errors import OutOfMemory

_PR_SET_PDEATHSIG = 1
"""The option of Linux that sets the signal which a process gets when its parent ends."""


class Forks:
    """Applies `work` to each of `items` in forked processes; `close` kills them at any time."""

    def __init__(self, work: Callable[[Any], Any], items: Sequence[Any]) -> None:
        """Store the work; `start` forks the processes."""
        self.work, self.items = work, items
        self.processes: dict[Connection, ForkProcess] = {}

    def start(self, count: int) -> None:
        """Fork up to `count` processes; raise OSError if not even one can be forked."""
        with _delay_interrupts():
            for _ in range(count):
                try:
                    self._fork()
                except OSError:
                    if not self.processes:
                        raise
                    return

    def _fork(self) -> None:
        """Fork a process, and keep the connection to it."""
        parent_end, child_end = get_context("fork").Pipe()
        with child_end:
            process = get_context("fork").Process(target=self._serve, args=(child_end, os.getpid()), daemon=True)
            process.start()
        self.processes[parent_end] = process

    def results(self) -> Iterator[Any]:
        """Yield the results in the items' order; an error of `work` is raised here."""
        early: dict[int, Any] = {}
        due = 0
        for index, result in self._as_completed():
            early[index] = result
            while due in early:
                yield early.pop(due)
                due += 1

    def _as_completed(self) -> Iterator[tuple[int, Any]]:
        """Send each process the next item when it is idle; yield results as they arrive, with the items' indices."""
        indices = iter(range(len(self.items)))
        for process, index in zip(self.processes, indices, strict=False):
            self._send(process, index)
        for _ in self.items:
            ready = cast("Connection", wait([*self.processes])[0])
            index, result, failed = self._receive(ready)
            if failed:
                raise result
            if (following := next(indices, None)) is not None:
                self._send(ready, following)
            yield index, result

    def _send(self, process: Connection, index: int) -> None:
        try:
            process.send(index)
        except OSError as error:
            raise self._exit_error(process) from error

    def _receive(self, process: Connection) -> Any:
        try:
            return process.recv()
        except (EOFError, OSError) as error:
            raise self._exit_error(process) from error

    def _exit_error(self, connection: Connection) -> Exception:
        """Return the error for a process that ended before its work was done."""
        process = self.processes[connection]
        process.join()
        if process.exitcode == -signal.SIGKILL:
            return OutOfMemory()
        return RuntimeError(f"a forked process ended with {process.exitcode} before its work was done")

    def close(self) -> None:
        """Kill all processes."""
        for process in self.processes.values():
            process.kill()
        for connection, process in self.processes.items():
            process.join()
            connection.close()

    def _serve(self, connection: Connection, parent: int) -> None:
        """Work in a forked process until the parent kills it or ends; Ctrl-C is left to the parent."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        while os.getppid() == parent:
            index = connection.recv()
            connection.send((index, *self._apply(index)))

    def _apply(self, index: int) -> tuple[Any, bool]:
        """Return the result for an item, or the error, and whether it is an error."""
        try:
            return self.work(self.items[index]), False
        except Exception as error:  # noqa: BLE001  (it is raised where the results are read)
            error.add_note(f"In a forked process:\n{traceback.format_exc()}")
            return error, True


@contextmanager
def _delay_interrupts() -> Iterator[None]:
    """Delay SIGINT until the block ends: while a process forks, Python would lose it."""
    received: list[int] = []
    previous = signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)
    if received:
        signal.raise_signal(signal.SIGINT)
