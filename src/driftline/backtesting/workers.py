"""How the work of a backtest is spread over the processor's cores: by threads, or by forked processes.

Much of the engine's work on chunks is Python's own, and of threads only one runs Python at a time. Forked processes all
do, see every row without a copy, and send back what they made, which is far smaller; but only a process that runs
nothing else may be forked: the command, not a notebook.
"""

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from driftline.engine.running import Run
from driftline.errors import OutOfMemory

MOST = 4
"""How many cores are used at most."""
WORTH_FORKING = 200_000
"""From this many rows on, forking takes less time than it saves."""
_PR_SET_PDEATHSIG = 1
"""Linux's option: which signal a process gets when the one that forked it ends."""
_log = logging.getLogger(__name__)

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def workers(rows: int, *, forks: bool) -> Run:
    """Return how to spread work on `rows` rows; `forks` says that this process may be forked."""
    can = forks and sys.platform == "linux"
    return in_processes if can and cores() > 1 and rows >= WORTH_FORKING else in_threads


def cores() -> int:
    """Return how many cores are to be used: those that this process may use, `MOST` at most."""
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(MOST, usable)


def in_threads(work: Callable[[_Given], _Made], items: Iterable[_Given], /) -> Iterator[_Made]:
    """Apply `work` to each item, several at a time, and yield the results in the items' order."""
    with ThreadPoolExecutor(cores()) as pool:
        yield from pool.map(work, items)


def in_processes(work: Callable[[_Given], _Made], items: Iterable[_Given], /) -> Iterator[_Made]:
    """Do as `in_threads` does, in processes forked for this; results, and errors, must be ones that pickle has.

    Where the system allows no more processes, threads do it; and where LightGBM is loaded, since its own threads
    (OpenMP) do not outlive a fork: a forked process that called it would wait for them forever. Raises OutOfMemory
    where the system ends a process.
    """
    every = list(items)
    if "lightgbm" in sys.modules:
        yield from in_threads(work, every)
        return
    try:
        pool = ProcessPoolExecutor(cores(), get_context("fork"), _begin, (work, every, os.getpid()))
        made = pool.map(_nth, range(len(every)))
    except (OSError, RuntimeError) as error:  # a limit on processes, threads or memory, or no /dev/shm for their locks
        _log.warning("no processes can be forked (%s); threads do the work, which takes longer", error)
        for child in active_children():
            child.kill()
        yield from in_threads(work, every)
        return
    try:
        with pool:
            yield from made
    except BrokenExecutor as error:
        if error.__cause__ is not None:  # not ended, but something that pickle has not
            raise
        raise OutOfMemory from error


_inherited: tuple[Callable[[Any], Any], list[Any]]


def _begin(work: Callable[[Any], Any], items: list[Any], parent: int) -> None:
    """Prepare a forked process: it ends with its parent, which alone hears of Ctrl-C."""
    global _inherited  # noqa: PLW0603  (a process of its own, which does nothing else)
    _inherited = (work, items)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _nth(place: int) -> Any:
    work, items = _inherited
    return work(items[place])
