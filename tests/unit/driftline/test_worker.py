"""The loop of a worker: it waits after failures, longer each time, and ends where it is stopped."""

import os
import signal
from threading import Event

import pytest

from driftline.errors import InvalidInput, Unavailable
from driftline.worker import Retries, persist, repeat, stop_on_signals


class Waits(Event):
    """An event that does not wait: it notes how long it would have, and is set after so many waits."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.seconds, self.most = list[float](), most

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        if len(self.seconds) == self.most:
            self.set()
        return self.is_set()


class FlakyServer:
    """Work that fails some times and then succeeds."""

    def __init__(self, failures: int) -> None:
        self.failures, self.calls = failures, 0

    def work(self) -> int:
        self.calls += 1
        if self.calls <= self.failures:
            raise Unavailable
        return self.calls


def test_each_failure_doubles_the_pause_up_to_the_longest() -> None:
    server, stop = FlakyServer(5), Waits(99)
    assert persist(server.work, stop, Retries(1, 5)) == 6
    assert stop.seconds == [1, 2, 4, 5, 5]


def test_a_stop_ends_the_attempts() -> None:
    server, stop = FlakyServer(99), Waits(3)
    assert persist(server.work, stop, Retries(1, 5)) is None
    assert server.calls == 3


def test_other_errors_are_raised() -> None:
    def refuse() -> None:
        raise InvalidInput

    with pytest.raises(InvalidInput):
        repeat(refuse, 1, Waits(9), Retries())


def test_a_success_forgets_failures(caplog: pytest.LogCaptureFixture) -> None:
    server, stop = FlakyServer(2), Waits(4)
    repeat(server.work, 10, stop, Retries(1, 5, subject="orders: "))
    assert stop.seconds == [1, 2, 10, 10]
    assert caplog.messages[0].startswith("orders: A required server does not answer")
    assert caplog.messages[0].endswith("Trying again in 1.0 s.")


def test_a_signal_sets_the_event() -> None:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        stop = stop_on_signals()
        assert not stop.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(5)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
