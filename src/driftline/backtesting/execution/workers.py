"""How the work of a backtest is spread over the processor's cores: by threads, or by forked processes.

Much of the engine's work on chunks is Python's own, and of threads only one runs Python at a time. Forked processes all
do, see every row without a copy, and send back what they made, which is far smaller; but only a process that runs
nothing else may be forked: the command, not a notebook.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

from driftline.engine.tasks import Map

MOST = 4
"""How many cores are used at most."""
WORTH_FORKING = 200_000
"""From this many rows on, forking takes less time than it saves."""
_log = logging.getLogger(__name__)

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


def workers(rows: int, *, forks: bool) -> Map:
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
    where the system kills a process. Only for the main thread.
    """
    from driftline.backtesting.execution.forks import Forks  # noqa: PLC0415  (only Linux has what it needs)

    every = list(items)
    if "lightgbm" in sys.modules:
        yield from in_threads(work, every)
        return
    with closing(Forks(work, every)) as forks:
        try:
            forks.start(cores())
        except OSError as error:
            _log.info("no process can be forked (%s); threads do the work, which takes longer", error)
            yield from in_threads(work, every)
        else:
            yield from forks.results()
