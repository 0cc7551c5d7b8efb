"""So many requests of a client in a window, no more; and none waits longer than a window."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.http.rate_limit import RateLimit


@given(
    st.lists(st.tuples(st.floats(0, 50), st.sampled_from("ab")), max_size=200),
    st.integers(1, 5),
)
def test_each_client_is_let_in_so_often_in_a_window(asked: list[tuple[float, str]], most: int) -> None:
    seconds = [0.0]
    limit = RateLimit(f"{most}/second", lambda: seconds[0])
    let_in: list[tuple[int, str]] = []
    for step, client in asked:
        seconds[0] += step / 100
        wait = limit.wait(client)
        window = (int(seconds[0]), client)
        if wait is None:
            let_in.append(window)
        else:
            assert let_in.count(window) == most
            assert wait == 1
    assert all(let_in.count(window) <= most for window in let_in)


@pytest.mark.parametrize(("unit", "window"), [("second", 1), ("minute", 60), ("hour", 3600)])
def test_after_the_wait_it_may_ask_again(unit: str, window: int) -> None:
    seconds = [7.25]
    limit = RateLimit(f"1/{unit}", lambda: seconds[0])
    waits = [limit.wait("a") for _ in range(3)]
    assert waits[0] is None
    assert waits[1] == waits[2]
    assert waits[1] is not None and 0 < waits[1] <= window
    seconds[0] += waits[1]
    assert limit.wait("a") is None


def test_what_is_counted_is_forgotten() -> None:
    seconds = iter(range(10_000))
    limit = RateLimit("1/second", lambda: float(next(seconds)))
    assert [limit.wait(f"client {n}") for n in range(1000)] == [None] * 1000
    assert len(limit._counts) == 1


def test_the_wait_shrinks() -> None:
    seconds = [0.0]
    limit = RateLimit("1/minute", lambda: seconds[0])
    limit.wait("a")
    waits = []
    for second in range(59):
        seconds[0] = float(second)
        waits.append(limit.wait("a") or 0)
    assert all(later == sooner - 1 for sooner, later in pairwise(waits))
