"""Parallel maps for the work of a backtest: by threads, or by forked processes.

Much of the engine's work on chunks is Python code, which only one thread can run at a time. Forked processes run it in
parallel, read all rows without a copy, and send back results, which are far smaller. But only a process that runs
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

MOST_CORES = 4
"""The most cores to use."""
WORTH_FORKING = 200_000
"""From this many rows on, forking saves more time than it takes."""
_log = logging.getLogger(__name__)

_Item = TypeVar("_Item")
_Value = TypeVar("_Value")


def choose_map(rows: int, *, forks: bool) -> Map:
    """Return the map for work on `rows` rows; `forks` declares that this process may be forked."""
    can_fork = forks and sys.platform == "linux"
    return map_in_processes if can_fork and cores() > 1 and rows >= WORTH_FORKING else map_in_threads


def cores() -> int:
    """Return the number of cores to use: those of this process, at most `MOST_CORES`."""
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return min(MOST_CORES, usable)


def map_in_threads(work: Callable[[_Item], _Value], items: Iterable[_Item], /) -> Iterator[_Value]:
    """Apply `work` to each item in threads; yield the results in the order of the items."""
    with ThreadPoolExecutor(cores()) as pool:
        yield from pool.map(work, items)


def map_in_processes(work: Callable[[_Item], _Value], items: Iterable[_Item], /) -> Iterator[_Value]:
    """Apply `work` to each item in forked processes, and yield the results in the items' order.

    Results and errors must be picklable. Threads are used instead where the system allows no more processes, and where
    LightGBM is loaded: its own threads (OpenMP) do not survive a fork, so a forked process that called it would wait
    for them forever. Raises OutOfMemory where the system kills a process. Call it in the main thread only.
    """
    from driftline.backtesting.execution.forks import Forks  # noqa: PLC0415  (it needs Linux)

    listed = list(items)
    if "lightgbm" in sys.modules:
        yield from map_in_threads(work, listed)
        return
    with closing(Forks(work, listed)) as forks:
        try:
            forks.start(cores())
        except OSError as error:
            _log.info("Cannot fork a process (%s); using threads, which takes longer.", error)
            yield from map_in_threads(work, listed)
        else:
            yield from forks.results()
