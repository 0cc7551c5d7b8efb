"""Sums over chunks equal those of numpy and pandas over all rows."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eda.statistics.histogram import Floats
from eda.statistics.moments import Moments, moments, typical


def drawn(seed: int, rows: int = 300) -> Floats:
    rng = np.random.default_rng(seed)
    base = rng.lognormal(10, 1.5, size=(rows, 1))
    values = np.floor(base * [1, 2, 0] + rng.lognormal(9, 1, size=(rows, 3)))
    values[rng.random(values.shape) < 0.15] = np.nan
    return values


def summed(values: Floats, pieces: int) -> Moments:
    parts = np.array_split(values, pieces)
    shift = typical(parts[0])
    total = moments(parts[0], shift)
    for part in parts[1:]:
        total += moments(part, shift)
    return total


@given(st.integers(0, 500), st.integers(1, 20))
def test_correlations_equal_those_of_pandas(seed: int, pieces: int) -> None:
    values = drawn(seed)
    expected, sums = pd.DataFrame(values).corr().to_numpy(), summed(values, pieces)
    actual = [[sums.correlation(i, j) for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(np.array(actual, dtype=float), expected, rtol=1e-9, atol=1e-12)


@given(st.integers(0, 500), st.integers(1, 20))
def test_means_and_deviations_equal_those_of_pandas(seed: int, pieces: int) -> None:
    values = drawn(seed)
    frame, sums = pd.DataFrame(values), summed(values, pieces)
    assert [sums.mean(i) for i in range(3)] == pytest.approx(frame.mean().tolist(), rel=1e-12)
    assert [sums.deviation(i) for i in range(3)] == pytest.approx(frame.std().tolist(), rel=1e-9)


@pytest.mark.parametrize("level", [0.0, 1.0, 7e9, 3.0])
def test_a_constant_column_has_no_correlation(level: float) -> None:
    rng = np.random.default_rng(1)
    values = np.column_stack([np.full(1000, level), rng.integers(0, 9, 1000)]).astype(float)
    for shift in (np.zeros(2), typical(values), np.array([11.0, 4.0])):
        assert moments(values, shift).correlation(0, 1) is None
        assert moments(values, shift).correlation(1, 0) is None


def test_a_large_offset_costs_no_precision() -> None:
    rng = np.random.default_rng(3)
    small = rng.integers(0, 50, size=(5000, 2)).astype(float)
    expected = np.corrcoef(small.T)[0, 1]
    assert summed(small + 4e9, 7).correlation(0, 1) == pytest.approx(expected, rel=1e-9)


def test_moments_of_no_values_are_undefined() -> None:
    sums = moments(np.full((4, 2), np.nan), np.zeros(2))
    assert (sums.mean(0), sums.deviation(0), sums.correlation(0, 1)) == (None, None, None)
