"""Work in forked processes yields the same results and errors as threads, and leaves no process behind."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from driftline.backtesting.execution import workers
from driftline.backtesting.execution.workers import map_in_processes, map_in_threads
from driftline.errors import InvalidInput, OutOfMemory


class OddError(Exception):
    """An error that pickle can write but not read."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


@pytest.fixture(autouse=True)
def no_lightgbm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unload LightGBM, which other tests may have imported."""
    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)


PARENT = os.getpid()
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
ORPHANS = """
import os, sys, time
from driftline.backtesting.execution.workers import map_in_processes

def work(_):
    with open(sys.argv[1], "a") as pids:
        print(os.getpid(), file=pids)
    time.sleep(60)

list(map_in_processes(work, [1, 2]))
"""


@linux
def test_processes_yield_results_in_the_items_order() -> None:
    scale = 10
    results = list(map_in_processes(lambda item: (item * scale, os.getpid()), range(50)))
    assert [value for value, _ in results] == [item * scale for item in range(50)]
    assert os.getpid() not in {pid for _, pid in results}


@linux
def test_no_items_yield_no_results() -> None:
    assert list(map_in_processes(lambda item: item, [])) == list(map_in_threads(lambda item: item, [])) == []


@linux
def test_an_error_is_raised_again_with_its_details() -> None:
    def reject(item: int) -> int:
        if item == 3:
            raise InvalidInput("no", details=("that", "and that"))
        return item

    with pytest.raises(InvalidInput, match="no") as caught:
        list(map_in_processes(reject, range(9)))
    assert caught.value.details == ("that", "and that")


@linux
def test_a_process_killed_by_the_system_raises_out_of_memory() -> None:
    def kill_itself(_: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(OutOfMemory, match="memory"):
        list(map_in_processes(kill_itself, range(4)))


@linux
@pytest.mark.parametrize(("limit", "forked"), [(0, False), (1, True)])
def test_threads_replace_processes_that_cannot_be_forked(
    limit: int, forked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork, calls = os.fork, []

    def limited() -> int:
        calls.append(1)
        if len(calls) > limit:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", limited)
    monkeypatch.setattr(workers, "cores", lambda: 2)
    results = list(map_in_processes(lambda item: (item, os.getpid() != PARENT), range(9)))
    assert results == [(item, forked) for item in range(9)]


@linux
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_during_a_fork_is_raised_after_it(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fork, calls = os.fork, []
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it

    def interrupted() -> int:
        pid = fork()
        calls.append(1)
        if pid and len(calls) == times:
            signal.raise_signal(signal.SIGINT)
        return pid

    monkeypatch.setattr(os, "fork", interrupted)
    monkeypatch.setattr(workers, "cores", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        list(map_in_processes(lambda item: item, range(9)))
    signal.signal(signal.SIGINT, previous)
    assert len(calls) == 2
    assert not active_children()


@linux
def test_closing_the_iterator_early_leaves_no_process() -> None:
    results = map_in_processes(lambda item: item, range(1_000))
    assert isinstance(results, Generator)
    assert next(results) == 0
    results.close()
    assert not active_children()


@linux
def test_an_error_that_pickle_cannot_read_is_reported() -> None:
    def fail(_: int) -> None:
        raise OddError("a", "b")

    with pytest.raises(TypeError, match="OddError"):
        list(map_in_processes(fail, range(2)))


@linux
def test_a_process_that_exits_is_reported_with_its_status() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        list(map_in_processes(lambda _: os._exit(3), range(4)))


@linux
def test_nothing_is_forked_if_lightgbm_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", sys)
    assert set(map_in_processes(lambda _: os.getpid(), range(4))) == {os.getpid()}


@linux
def test_processes_end_with_their_parent(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS, str(pids)])
    _until(lambda: pids.exists() and len(pids.read_text().split()) >= min(2, workers.cores()))
    parent.kill()
    parent.wait()
    forked = [int(pid) for pid in pids.read_text().split()]
    _until(lambda: not any(map(_runs, forked)))


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def _until(condition: Any) -> None:
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends
        threading.Event().wait(0.01)


def test_processes_are_chosen_for_many_rows_if_forks_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(workers, "cores", lambda: 2)
    assert workers.choose_map(1_000_000, forks=True) is map_in_processes
    assert workers.choose_map(1_000_000, forks=False) is map_in_threads
    assert workers.choose_map(1_000, forks=True) is map_in_threads
    monkeypatch.setattr(workers, "cores", lambda: 1)
    assert workers.choose_map(1_000_000, forks=True) is map_in_threads
