"""Work in forked processes: the same results, errors as they were raised, and no process left behind."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import BrokenExecutor
from multiprocessing import active_children
from pathlib import Path
from typing import Any

import pytest

from driftline.backtesting import workers
from driftline.backtesting.workers import in_processes, in_threads
from driftline.errors import InvalidInput, OutOfMemory


class OddError(Exception):
    """Pickle can write it, and cannot read it."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


@pytest.fixture(autouse=True)
def no_lightgbm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that other tests may have loaded it."""
    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
ORPHANS = """
import os, sys, time
from driftline.backtesting.workers import in_processes

def work(_):
    with open(sys.argv[1], "a") as pids:
        print(os.getpid(), file=pids)
    time.sleep(60)

list(in_processes(work, [1, 2]))
"""


@linux
def test_results_come_in_the_items_order_from_other_processes() -> None:
    scale = 10
    found = list(in_processes(lambda item: (item * scale, os.getpid()), range(50)))
    assert [value for value, _ in found] == [item * scale for item in range(50)]
    assert os.getpid() not in {pid for _, pid in found}


@linux
def test_nothing_to_do_is_no_result() -> None:
    assert list(in_processes(lambda item: item, [])) == list(in_threads(lambda item: item, [])) == []


@linux
def test_an_error_arrives_as_it_was_raised() -> None:
    def refuse(item: int) -> int:
        if item == 3:
            raise InvalidInput("no", details=("that", "and that"))
        return item

    with pytest.raises(InvalidInput, match="no") as caught:
        list(in_processes(refuse, range(9)))
    assert caught.value.details == ("that", "and that")


@linux
def test_a_process_that_the_system_ends_is_an_error_that_says_why() -> None:
    def ended(_: int) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(OutOfMemory, match="memory"):
        list(in_processes(ended, range(4)))


@linux
@pytest.mark.parametrize("refusal", [BlockingIOError(errno.EAGAIN, "no more"), RuntimeError("can't start new thread")])
@pytest.mark.parametrize("allowed", [0, 1])
def test_threads_do_what_no_process_can_be_forked_for(
    allowed: int, refusal: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork, asked = os.fork, []

    def limited() -> int:
        asked.append(1)
        if len(asked) > allowed:
            raise refusal
        return fork()

    monkeypatch.setattr(os, "fork", limited)
    monkeypatch.setattr(workers, "cores", lambda: 2)
    assert list(in_processes(lambda item: (item, os.getpid()), range(3))) == [(item, os.getpid()) for item in range(3)]
    _until(lambda: not active_children())


@linux
def test_threads_do_it_where_processes_can_have_no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any) -> None:
        raise NotImplementedError("this build has no semaphores")

    monkeypatch.setattr(workers, "ProcessPoolExecutor", refuse)
    assert list(in_processes(lambda item: (item, os.getpid()), range(3))) == [(item, os.getpid()) for item in range(3)]


@linux
def test_what_pickle_has_not_is_a_fault_and_no_want_of_memory() -> None:
    def fail(_: int) -> None:
        raise OddError("a", "b")

    with pytest.raises(BrokenExecutor):
        list(in_processes(fail, range(2)))


@linux
def test_nothing_is_forked_once_lightgbm_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", sys)
    assert set(in_processes(lambda _: os.getpid(), range(4))) == {os.getpid()}


@linux
def test_processes_end_with_the_one_that_forked_them(tmp_path: Path) -> None:
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


def _until(done: Any) -> None:
    ends = time.monotonic() + 20
    while not done():
        assert time.monotonic() < ends
        threading.Event().wait(0.01)


def test_forks_are_for_a_process_that_may_be_forked_and_has_much_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(workers, "cores", lambda: 2)
    assert workers.workers(1_000_000, forks=True) is in_processes
    assert workers.workers(1_000_000, forks=False) is in_threads
    assert workers.workers(1_000, forks=True) is in_threads
    monkeypatch.setattr(workers, "cores", lambda: 1)
    assert workers.workers(1_000_000, forks=True) is in_threads
