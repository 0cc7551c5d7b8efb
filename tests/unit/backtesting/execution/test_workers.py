"""Work in forked processes: the same results, errors as they were raised, and no process left behind."""

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
from driftline.backtesting.execution.workers import in_processes, in_threads
from driftline.errors import InvalidInput, OutOfMemory


class OddError(Exception):
    """Pickle can write it, and cannot read it."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


@pytest.fixture(autouse=True)
def no_lightgbm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget that other tests may have loaded it."""
    monkeypatch.delitem(sys.modules, "lightgbm", raising=False)


PARENT = os.getpid()
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
ORPHANS = """
import os, sys, time
from driftline.backtesting.execution.workers import in_processes

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
@pytest.mark.parametrize(("allowed", "forked"), [(0, False), (1, True)])
def test_as_many_processes_work_as_there_can_be_and_threads_where_there_are_none(
    allowed: int, forked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    fork, asked = os.fork, []

    def limited() -> int:
        asked.append(1)
        if len(asked) > allowed:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", limited)
    monkeypatch.setattr(workers, "cores", lambda: 2)
    found = list(in_processes(lambda item: (item, os.getpid() != PARENT), range(9)))
    assert found == [(item, forked) for item in range(9)]


@linux
@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_processes_are_forked_is_heard_once_they_are(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    fork, asked = os.fork, []
    heeded = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it

    def interrupted() -> int:
        pid = fork()
        asked.append(1)
        if pid and len(asked) == times:
            signal.raise_signal(signal.SIGINT)
        return pid

    monkeypatch.setattr(os, "fork", interrupted)
    monkeypatch.setattr(workers, "cores", lambda: 2)
    with pytest.raises(KeyboardInterrupt):
        list(in_processes(lambda item: item, range(9)))
    signal.signal(signal.SIGINT, heeded)
    assert len(asked) == 2
    assert not active_children()


@linux
def test_no_process_is_left_where_results_are_not_read_to_their_end() -> None:
    found = in_processes(lambda item: item, range(1_000))
    assert isinstance(found, Generator)
    assert next(found) == 0
    found.close()
    assert not active_children()


@linux
def test_what_pickle_has_not_is_a_fault_and_no_want_of_memory() -> None:
    def fail(_: int) -> None:
        raise OddError("a", "b")

    with pytest.raises(TypeError, match="OddError"):
        list(in_processes(fail, range(2)))


@linux
def test_a_process_that_fails_by_itself_is_no_want_of_memory_either() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        list(in_processes(lambda _: os._exit(3), range(4)))


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
