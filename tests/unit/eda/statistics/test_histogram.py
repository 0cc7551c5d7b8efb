"""Properties of the grid: bins contain their values, chunks add up, quantiles have a bounded error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eda.statistics.histogram import BINS, EDGES, EMPTY, EXACT_BELOW, LARGEST_ERROR, bins_of, histogram, snapped

values = st.lists(st.integers(0, 2**53), min_size=1, max_size=60)


@given(values)
def test_each_value_lies_in_its_bin(numbers: list[int]) -> None:
    values, bins = np.array(numbers, dtype=np.float64), bins_of(np.array(numbers, dtype=np.float64))
    assert (EDGES[bins] <= values).all()
    assert (values < EDGES[bins + 1]).all()


def test_the_grid_covers_every_bigint() -> None:
    assert len(EDGES) == BINS + 1
    assert (np.diff(EDGES) >= 1).all()
    assert EDGES[-1] == 2.0**63
    np.testing.assert_array_equal(bins_of(EDGES[:-1]), np.arange(BINS))


@given(values, values)
def test_histograms_of_chunks_add_up(first: list[int], second: list[int]) -> None:
    apart = histogram(np.array(first, dtype=float)) + histogram(np.array(second, dtype=float))
    at_once = histogram(np.array(first + second, dtype=float))
    np.testing.assert_array_equal(apart.counts, at_once.counts)
    assert (apart.minimum, apart.maximum, apart.total) == (at_once.minimum, at_once.maximum, len(first + second))


@given(values, st.floats(0, 1))
def test_quantiles_are_exact_below_128_and_close_above(numbers: list[int], share: float) -> None:
    exact = float(np.quantile(numbers, share, method="inverted_cdf"))
    quantile = histogram(np.array(numbers, dtype=float)).quantile(share)
    assert quantile is not None
    assert quantile == exact if exact < EXACT_BELOW else abs(quantile - exact) <= LARGEST_ERROR * exact


def test_missing_values_are_not_counted() -> None:
    assert histogram(np.array([np.nan, 3.0, 0.0, np.nan])).total == 2
    absent = histogram(np.array([np.nan]))
    assert absent is EMPTY
    assert (absent.total, absent.minimum, absent.quantile(0.5), absent.zero_share) == (
        0,
        None,
        None,
        None,
    )


def test_minimum_and_maximum_are_exact() -> None:
    counted = histogram(np.array([-5.0, 0.0, 1_000_003.0]))
    assert (counted.minimum, counted.maximum) == (-5.0, 1_000_003.0)
    assert counted.zero_share == pytest.approx(2 / 3)


@given(values)
def test_coarser_bins_keep_every_value(numbers: list[int]) -> None:
    counted = histogram(np.array(numbers, dtype=float))
    edges = np.append(snapped(np.linspace(0, max(numbers), 12)), EDGES[-1])
    assert counted.counts_between(edges).sum() == len(numbers)
