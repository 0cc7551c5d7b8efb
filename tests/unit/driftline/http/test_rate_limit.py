"""The rate limit admits a fixed number of requests per client and window; no client waits longer than a window."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.http.rate_limit import RateLimit


@given(
    st.lists(st.tuples(st.floats(0, 50), st.sampled_from("ab")), max_size=200),
    st.integers(1, 5),
)
def test_each_client_has_a_limit_per_window(requests: list[tuple[float, str]], maximum: int) -> None:
    seconds = [0.0]
    limit = RateLimit(f"{maximum}/second", lambda: seconds[0])
    admitted: list[tuple[int, str]] = []
    for step, client in requests:
        seconds[0] += step / 100
        wait = limit.seconds_to_wait(client)
        window = (int(seconds[0]), client)
        if wait is None:
            admitted.append(window)
        else:
            assert admitted.count(window) == maximum
            assert wait == 1
    assert all(admitted.count(window) <= maximum for window in admitted)


@pytest.mark.parametrize(("unit", "window"), [("second", 1), ("minute", 60), ("hour", 3600)])
def test_after_the_wait_a_request_is_admitted(unit: str, window: int) -> None:
    seconds = [7.25]
    limit = RateLimit(f"1/{unit}", lambda: seconds[0])
    waits = [limit.seconds_to_wait("a") for _ in range(3)]
    assert waits[0] is None
    assert waits[1] == waits[2]
    assert waits[1] is not None and 0 < waits[1] <= window
    seconds[0] += waits[1]
    assert limit.seconds_to_wait("a") is None


def test_old_counts_are_discarded() -> None:
    seconds = iter(range(10_000))
    limit = RateLimit("1/second", lambda: float(next(seconds)))
    assert [limit.seconds_to_wait(f"client {n}") for n in range(1000)] == [None] * 1000
    assert len(limit._counts) == 1


def test_the_wait_shrinks() -> None:
    seconds = [0.0]
    limit = RateLimit("1/minute", lambda: seconds[0])
    limit.seconds_to_wait("a")
    waits = []
    for second in range(59):
        seconds[0] = float(second)
        waits.append(limit.seconds_to_wait("a") or 0)
    assert all(later == sooner - 1 for sooner, later in pairwise(waits))
