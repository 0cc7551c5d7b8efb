"""Processes that are forked to do one kind of work, and end with it or with the process that forked them."""

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
"""Linux's option: which signal a process gets when the one that forked it ends."""


class Forks:
    """Applies `work` to each of `items` in forked processes. `close` ends them, whatever they are at."""

    def __init__(self, work: Callable[[Any], Any], items: Sequence[Any]) -> None:
        """Fork nothing yet."""
        self.work, self.items = work, items
        self.processes: dict[Connection, ForkProcess] = {}

    def start(self, count: int) -> None:
        """Fork up to `count` processes; an OSError if there can be none."""
        with _interrupts_after():
            for _ in range(count):
                try:
                    self._fork()
                except OSError:
                    if not self.processes:
                        raise
                    return

    def _fork(self) -> None:
        ours, theirs = get_context("fork").Pipe()
        with theirs:
            process = get_context("fork").Process(target=self._serve, args=(theirs, os.getpid()), daemon=True)
            process.start()
        self.processes[ours] = process

    def results(self) -> Iterator[Any]:
        """Yield the results in the items' order; an error of `work` is raised here."""
        early: dict[int, Any] = {}
        due = 0
        for place, made in self._dealt():
            early[place] = made
            while due in early:
                yield early.pop(due)
                due += 1

    def _dealt(self) -> Iterator[tuple[int, Any]]:
        """Give each process its next item when it has done one; yield results as they come, with the items' places."""
        places = iter(range(len(self.items)))
        for process, place in zip(self.processes, places, strict=False):
            self._ask(process, place)
        for _ in self.items:
            ready = cast("Connection", wait([*self.processes])[0])
            place, made, failed = self._answer(ready)
            if failed:
                raise made
            if (another := next(places, None)) is not None:
                self._ask(ready, another)
            yield place, made

    def _ask(self, process: Connection, place: int) -> None:
        try:
            process.send(place)
        except OSError as error:
            raise self._ended(process) from error

    def _answer(self, process: Connection) -> Any:
        try:
            return process.recv()
        except (EOFError, OSError) as error:
            raise self._ended(process) from error

    def _ended(self, connection: Connection) -> Exception:
        process = self.processes[connection]
        process.join()
        if process.exitcode == -signal.SIGKILL:
            return OutOfMemory()
        return RuntimeError(f"a forked process ended with {process.exitcode} before its work was done")

    def close(self) -> None:
        """End all processes at once."""
        for process in self.processes.values():
            process.kill()
        for connection, process in self.processes.items():
            process.join()
            connection.close()

    def _serve(self, asked: Connection, parent: int) -> None:
        """Work in a forked process until it is ended: with its parent, which alone hears of Ctrl-C."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        while os.getppid() == parent:
            place = asked.recv()
            asked.send((place, *self._done(place)))

    def _done(self, place: int) -> tuple[Any, bool]:
        try:
            return self.work(self.items[place]), False
        except Exception as error:  # noqa: BLE001  (it is raised where the results are read)
            error.add_note(f"In a forked process:\n{traceback.format_exc()}")
            return error, True


@contextmanager
def _interrupts_after() -> Iterator[None]:
    """Put Ctrl-C off: while a process forks, Python would lose it."""
    heard: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if heard:
        signal.raise_signal(signal.SIGINT)
