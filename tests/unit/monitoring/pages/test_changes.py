"""The stream that open pages listen to: a number at once, again when it changes, and no more streams than threads."""

from collections.abc import Callable
from itertools import islice

from driftline.errors import DatabaseUnavailable
from monitoring.pages.changes import LONG_PAUSE, MOST_STREAMS, NOTHING, PAUSE, STREAM_SECONDS, Changes


class Clock:
    """A clock that waiting moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False


def changes_of(*numbers: int | None) -> tuple[Changes, Clock, Callable[[], int]]:
    """Read one number after another; None is a database that does not answer, and the last one stays."""
    clock, left = Clock(), list(numbers)
    reads = 0

    def read() -> int:
        nonlocal reads
        reads += 1
        number = left.pop(0) if len(left) > 1 else left[0]
        if number is None:
            raise DatabaseUnavailable
        return number

    return Changes(read, clock), clock, lambda: reads


def test_a_page_learns_of_a_change() -> None:
    changes, clock, _ = changes_of(7, 7, None, 9)
    first, *others = islice(changes.stream(clock.wait), 4)
    assert first == f"retry: {PAUSE}\ndata: 7\n\n"
    assert others == [NOTHING, NOTHING, "data: 9\n\n"]


def test_a_stream_ends_in_time_and_when_the_server_stops() -> None:
    changes, clock, _ = changes_of(1)
    assert len(list(changes.stream(clock.wait))) < STREAM_SECONDS
    assert clock.now >= STREAM_SECONDS
    assert len(list(changes.stream(lambda _: True))) == 1


def test_further_pages_ask_again_later_until_one_is_closed() -> None:
    changes, clock, reads = changes_of(1)
    streams = [changes.stream(clock.wait) for _ in range(MOST_STREAMS)]
    assert {next(stream) for stream in streams} == {f"retry: {PAUSE}\ndata: 1\n\n"}
    assert list(changes.stream(clock.wait)) == [f"retry: {LONG_PAUSE}\ndata: 1\n\n"]
    assert reads() == 1
    streams[0].close()
    assert next(changes.stream(clock.wait)).startswith(f"retry: {PAUSE}\n")


def test_without_a_database_a_page_waits() -> None:
    changes, clock, _ = changes_of(None)
    assert next(changes.stream(clock.wait)) == f"retry: {PAUSE}\n{NOTHING}"
