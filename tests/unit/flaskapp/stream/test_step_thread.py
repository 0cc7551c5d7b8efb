"""The thread of a step goes on: through servers that are away and steps that fail, until it is closed."""

import threading
import time
from collections.abc import Callable

from driftline.errors import DatabaseUnavailable
from flaskapp.stream import step_thread
from flaskapp.stream.step_thread import StepThread


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_thread_waits_for_a_server_and_reports_why() -> None:
    back = threading.Event()
    finished = threading.Event()

    def step() -> None:
        if not back.is_set():
            raise DatabaseUnavailable
        finished.set()

    thread = StepThread("test", step)
    thread.start()
    wait_until(lambda: thread.error is not None)
    assert "MySQL does not answer" in str(thread.error)
    back.set()
    assert finished.wait(10)
    wait_until(lambda: thread.error is None)
    thread.close()


def test_a_step_is_repeated_after_its_pause_or_a_wake() -> None:
    calls: list[float] = []

    def step() -> float | None:
        calls.append(time.monotonic())
        return 0.05 if len(calls) == 1 else None

    thread = StepThread("test", step)
    thread.start()
    wait_until(lambda: len(calls) == 2)
    assert calls[1] - calls[0] >= 0.05
    thread.wake()
    wait_until(lambda: len(calls) == 3)
    thread.close()
    thread.wake()
    assert len(calls) == 3


def test_a_failed_step_does_not_end_the_thread() -> None:
    calls: list[int] = []

    def step() -> float | None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("a surprise")
        return None

    failing = StepThread("test", step)
    failing.start()
    wait_until(lambda: failing.error is not None)
    assert "RuntimeError" in str(failing.error)
    failing.wake()
    wait_until(lambda: len(calls) == 2 and failing.error is None)
    failing.close()


def test_closing_ends_a_wait_for_a_server() -> None:
    def step() -> None:
        raise DatabaseUnavailable

    waiting = StepThread("test", step)
    waiting.start()
    wait_until(lambda: waiting.error is not None)
    began = time.monotonic()
    waiting.close()
    assert time.monotonic() - began < step_thread.LONGEST_RETRY_WAIT
