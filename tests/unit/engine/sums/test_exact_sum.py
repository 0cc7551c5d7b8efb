"""Exact sums are those of fractions, in whatever order and parts the numbers come."""

from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.sums.exact_sum import ExactSum

ANY = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=40)
MODERATE = st.lists(st.floats(-1e140, 1e140).filter(lambda x: x == 0 or abs(x) > 1e-140), max_size=40)


def _array(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=np.float64)


@given(ANY, st.integers(0, 40))
def test_a_sum_is_that_of_fractions_and_parts_merge_to_it(values: list[float], cut: int) -> None:
    exact = sum(map(Fraction, values), Fraction())
    at_once = ExactSum.of(_array(values))
    assert Fraction(at_once.scaled, 2**1074) == exact
    assert ExactSum.of(_array(values[cut:])).merge(ExactSum.of(_array(values[:cut]))) == at_once
    assert ExactSum.of(_array(values[::-1])) == at_once


@given(MODERATE)
def test_squared_deviations_are_those_of_fractions(values: list[float]) -> None:
    total, squares = ExactSum.of(_array(values)), ExactSum.of_squares(_array(values))
    if not values:
        assert squares == ExactSum()
        return
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    expected = float(sum((value - mean) ** 2 for value in exact))
    assert squares.squared_deviations(total, len(values)) == pytest.approx(expected, rel=1e-14)
    assert total.mean(len(values)) == float(mean)


@pytest.mark.slow
def test_many_numbers_of_all_sizes() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=50_000) * 10.0 ** rng.integers(-300, 250, 50_000)
    assert ExactSum.of(values) == ExactSum.of(rng.permutation(values))
    assert ExactSum.of(values, -values) == ExactSum()
    assert Fraction(ExactSum.of(values).scaled, 2**1074) == sum(map(Fraction, values.tolist()))


def test_a_sum_that_no_float_has_is_infinite_and_its_mean_is_right() -> None:
    assert ExactSum.of(_array([1.5e308, 1.5e308])).value == inf
    assert ExactSum.of(_array([-1.5e308, -1.5e308])).value == -inf
    assert ExactSum.of(_array([1.5e308, 1.5e308])).mean(2) == 1.5e308


@pytest.mark.parametrize("value", [inf, -inf, float("nan")])
def test_what_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="only finite numbers"):
        ExactSum.of(_array([1.0, value]))
