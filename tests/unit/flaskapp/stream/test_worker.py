"""A worker goes on: through servers that are away and steps that fail, until it is closed."""

import threading
import time
from collections.abc import Callable

from driftline.errors import DatabaseUnavailable
from flaskapp.stream import worker
from flaskapp.stream.worker import Worker


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_worker_waits_for_a_server_and_reports_why() -> None:
    back = threading.Event()
    finished = threading.Event()

    def step() -> None:
        if not back.is_set():
            raise DatabaseUnavailable
        finished.set()

    worker = Worker("test", step)
    worker.start()
    wait_until(lambda: worker.error is not None)
    assert "MySQL does not answer" in str(worker.error)
    back.set()
    assert finished.wait(10)
    wait_until(lambda: worker.error is None)
    worker.close()


def test_a_step_is_repeated_after_its_pause_or_a_wake() -> None:
    calls: list[float] = []

    def step() -> float | None:
        calls.append(time.monotonic())
        return 0.05 if len(calls) == 1 else None

    worker = Worker("test", step)
    worker.start()
    wait_until(lambda: len(calls) == 2)
    assert calls[1] - calls[0] >= 0.05
    worker.wake()
    wait_until(lambda: len(calls) == 3)
    worker.close()
    worker.wake()
    assert len(calls) == 3


def test_a_failed_step_does_not_end_the_worker() -> None:
    calls: list[int] = []

    def step() -> float | None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("a surprise")
        return None

    failing = Worker("test", step)
    failing.start()
    wait_until(lambda: failing.error is not None)
    assert "RuntimeError" in str(failing.error)
    failing.wake()
    wait_until(lambda: len(calls) == 2 and failing.error is None)
    failing.close()


def test_closing_ends_a_wait_for_a_server() -> None:
    def step() -> None:
        raise DatabaseUnavailable

    waiting = Worker("test", step)
    waiting.start()
    wait_until(lambda: waiting.error is not None)
    began = time.monotonic()
    waiting.close()
    assert time.monotonic() - began < worker.LONGEST_RETRY_WAIT
