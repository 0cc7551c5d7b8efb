"""The grid's laws: bins hold what they say, chunks add up, quantiles are as near as promised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eda.histogram import BINS, EDGES, EMPTY, EXACT_BELOW, LARGEST_ERROR, bins_of, histogram, snapped

values = st.lists(st.integers(0, 2**53), min_size=1, max_size=60)


@given(values)
def test_each_value_lies_in_its_bin(numbers: list[int]) -> None:
    found, bins = np.array(numbers, dtype=np.float64), bins_of(np.array(numbers, dtype=np.float64))
    assert (EDGES[bins] <= found).all()
    assert (found < EDGES[bins + 1]).all()


def test_the_grid_is_whole_and_reaches_every_bigint() -> None:
    assert len(EDGES) == BINS + 1
    assert (np.diff(EDGES) >= 1).all()
    assert EDGES[-1] == 2.0**63
    np.testing.assert_array_equal(bins_of(EDGES[:-1]), np.arange(BINS))


@given(values, values)
def test_chunks_add_up_to_the_whole(first: list[int], second: list[int]) -> None:
    apart = histogram(np.array(first, dtype=float)) + histogram(np.array(second, dtype=float))
    whole = histogram(np.array(first + second, dtype=float))
    np.testing.assert_array_equal(apart.counts, whole.counts)
    assert (apart.minimum, apart.maximum, apart.total) == (whole.minimum, whole.maximum, len(first + second))


@given(values, st.floats(0, 1))
def test_quantiles_are_exact_below_128_and_near_above(numbers: list[int], share: float) -> None:
    exact = float(np.quantile(numbers, share, method="inverted_cdf"))
    found = histogram(np.array(numbers, dtype=float)).quantile(share)
    assert found is not None
    assert found == exact if exact < EXACT_BELOW else abs(found - exact) <= LARGEST_ERROR * exact


def test_missing_values_are_left_out_and_no_values_have_no_numbers() -> None:
    assert histogram(np.array([np.nan, 3.0, 0.0, np.nan])).total == 2
    nothing = histogram(np.array([np.nan]))
    assert nothing is EMPTY
    assert (nothing.total, nothing.minimum, nothing.quantile(0.5), nothing.zero_share) == (0, None, None, None)


def test_the_extremes_stay_exact_and_a_negative_value_shows() -> None:
    seen = histogram(np.array([-5.0, 0.0, 1_000_003.0]))
    assert (seen.minimum, seen.maximum) == (-5.0, 1_000_003.0)
    assert seen.zero_share == pytest.approx(2 / 3)


@given(values)
def test_coarser_bins_keep_every_value(numbers: list[int]) -> None:
    seen = histogram(np.array(numbers, dtype=float))
    edges = np.append(snapped(np.linspace(0, max(numbers), 12)), EDGES[-1])
    assert seen.counts_between(edges).sum() == len(numbers)
