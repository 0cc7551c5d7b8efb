"""Means, sums and standard deviations do not depend on order or parts, and are right where plain floats are not."""

from fractions import Fraction
from functools import reduce
from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.statistics.sums import Sums

NUMBERS = st.lists(st.floats(-1e100, 1e100).filter(lambda x: x == 0 or abs(x) > 1e-100), min_size=2, max_size=60)


def _sums(values: list[float]) -> Sums:
    return Sums.of(np.array(values, dtype=float))


def _exact(values: list[float]) -> tuple[float, float, float]:
    parts = [Fraction(value) for value in values]
    mean = sum(parts) / len(parts)
    variance = sum((part - mean) ** 2 for part in parts) / (len(parts) - 1)
    return float(mean), float(sum(parts)), sqrt(variance)


@given(NUMBERS)
def test_they_are_exact_to_1e_12_of_their_parts(values: list[float]) -> None:
    sums, (mean, total, deviation) = _sums(values), _exact(values)
    size = sum(map(abs, values))
    assert sums.total.value == pytest.approx(total, rel=1e-15, abs=1e-28 * size)
    assert sums.mean == pytest.approx(mean, rel=1e-15, abs=1e-28 * size)
    assert sums.deviation == pytest.approx(deviation, rel=1e-13)


@given(NUMBERS, st.integers(0, 60), st.randoms(use_true_random=False))
def test_parts_merge_to_the_whole_in_any_order(values: list[float], cut: int, random: object) -> None:
    at_once = _sums(values)
    shuffled = values.copy()
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = _sums(shuffled[:cut]), _sums(shuffled[cut:])
    size = sum(map(abs, values))
    for merged in (first.merge(second), second.merge(first)):
        assert merged.count == at_once.count
        assert merged.total.value == pytest.approx(at_once.total.value, rel=1e-15, abs=1e-28 * size)
        assert merged.deviation == pytest.approx(at_once.deviation, rel=1e-13)


def test_values_close_together_and_far_from_0() -> None:
    values = [1e9 + step / 8 for step in range(1_000)]
    assert _sums(values).deviation == pytest.approx(_exact(values)[2], rel=1e-15)
    parts = _sums(values[:1]).merge(_sums(values[1:999])).merge(_sums(values[999:]))
    assert parts.deviation == pytest.approx(_exact(values)[2], rel=1e-15)


@pytest.mark.parametrize("offset", [1e12, 1e15, -4e15, 1e30])
def test_the_digits_that_values_far_from_0_have_left_all_count(offset: float) -> None:
    rng = np.random.default_rng(0)
    values: list[float] = (offset + np.spacing(abs(offset)) * rng.normal(0, 3, 500).round()).tolist()
    exact = _exact(values)[2]
    assert exact > 0
    assert _sums(values).deviation == pytest.approx(exact, rel=1e-14)
    parts = reduce(Sums.merge, (_sums(values[start::7]) for start in range(7)))
    assert parts.deviation == pytest.approx(exact, rel=1e-14)


def test_values_that_cancel() -> None:
    assert _sums([1e16, 1.0, -1e16]).total.value == 1.0
    assert _sums([1e16, 1.0]).merge(_sums([-1e16])).total.value == 1.0


def test_no_values_sum_to_0() -> None:
    assert (_sums([]).count, _sums([]).total.value) == (0, 0.0)


def test_what_is_too_large_is_infinite_and_stays_so() -> None:
    assert _sums([1e200, -1e200]).deviation == float("inf")
    assert _sums([1e200]).merge(_sums([-1e200])).deviation == float("inf")
    assert _sums([1e308, 1e308]).deviation == float("inf")
    assert _sums([1e200, 1e200]).mean == 1e200
    assert _sums([1e308, 1e308]).total.value == float("inf")
    assert _sums([1e308, 1e308]).mean == 1e308
