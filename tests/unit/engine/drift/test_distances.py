"""The distances of continuous columns against scipy, and by hand."""

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from driftline.engine.drift import jensen_shannon, kolmogorov_smirnov, wasserstein
from driftline.engine.drift.sketches import distribution, histogram
from driftline.engine.drift.sketches.distribution import count_in_bins, count_on_grid
from driftline.engine.frames.columns import FloatArray

VALUES = st.lists(st.floats(-1e3, 1e3) | st.integers(-3, 3).map(float), min_size=1, max_size=40).map(
    lambda values: np.sort(np.array(values))
)


def _largest_gap(first: FloatArray, second: FloatArray) -> float:
    return max(abs(float(np.mean(first <= x)) - float(np.mean(second <= x))) for x in (*first, *second))


@given(VALUES, VALUES)
def test_whole_references_are_compared_exactly(reference: FloatArray, chunk: FloatArray) -> None:
    state = distribution.fit(reference)
    summary = distribution.summarize(state, chunk)
    gap, distance = kolmogorov_smirnov.finish(state, summary), wasserstein.finish(state, summary)
    assert gap.value == pytest.approx(_largest_gap(reference, chunk), abs=1e-12)
    assert distance.value == pytest.approx(wasserstein_distance(reference, chunk), rel=1e-9, abs=1e-9)
    assert gap.rows == distance.rows == len(chunk)


@pytest.mark.parametrize("rows", [150, 1_000, 30_000])
@pytest.mark.parametrize("shift", [0.0, 0.02, 0.1])
def test_p_values_are_close_to_the_exact_ones(rows: int, shift: float) -> None:
    rng = np.random.default_rng(rows)
    reference, chunk = np.sort(rng.normal(size=5_000)), np.sort(rng.normal(shift, 1, size=rows))
    state = distribution.fit(reference)
    outcome = kolmogorov_smirnov.finish(state, distribution.summarize(state, chunk))
    assert outcome.p_value == pytest.approx(ks_2samp(reference, chunk, method="asymp").pvalue, rel=0.1, abs=0.01)


def test_bins_come_close_to_the_exact_distance() -> None:
    rng = np.random.default_rng(2)
    reference, chunk = np.sort(rng.normal(size=20_000)), np.sort(rng.normal(0.5, 1.5, size=3_000))
    state = distribution.fit(reference)
    assert isinstance(state.reference, distribution.Grid)
    summary = distribution.summarize(state, chunk)
    gap = ks_2samp(reference, chunk).statistic
    assert kolmogorov_smirnov.finish(state, summary).value == pytest.approx(gap, abs=2e-3)
    distance = wasserstein_distance(reference, chunk)
    assert wasserstein.finish(state, summary).value == pytest.approx(distance, rel=5e-3)


def test_wasserstein_has_the_unit_of_the_column() -> None:
    state = distribution.fit(np.array([0.0, 0.0, 10.0, 10.0]))
    outcome = wasserstein.finish(state, distribution.summarize(state, np.array([2.5, 12.5])))
    assert (outcome.value, outcome.effect) == (2.5, 0.5)


def test_a_long_constant_reference_is_kept_whole() -> None:
    """Where NannyML makes bins around the constant: a deviation, since bins would blur what is exact."""
    state = distribution.fit(np.full(20_000, 3.0))
    outcome = wasserstein.finish(state, distribution.summarize(state, np.array([3.0, 3.25])))
    assert (outcome.value, outcome.effect) == (0.125, None)


@given(VALUES)
def test_equal_samples_have_no_distance(values: FloatArray) -> None:
    """Exactly 0, where NannyML's float shares may leave 1e-8: a deviation."""
    fitted, bins = distribution.fit(values), histogram.fit(values)
    summary = distribution.summarize(fitted, values)
    assert kolmogorov_smirnov.finish(fitted, summary).value == 0
    assert kolmogorov_smirnov.finish(fitted, summary).p_value == 1
    assert wasserstein.finish(fitted, summary).value == 0
    assert jensen_shannon.finish(bins, histogram.summarize(bins, values)).value == 0


def test_samples_that_share_nothing_are_as_far_as_can_be() -> None:
    low, high = np.linspace(0, 1, 50), np.linspace(5, 6, 50)
    fitted, bins = distribution.fit(low), histogram.fit(low)
    assert kolmogorov_smirnov.finish(fitted, distribution.summarize(fitted, high)).value == 1
    assert jensen_shannon.finish(bins, histogram.summarize(bins, high)).value == pytest.approx(1)


@given(VALUES, st.lists(st.floats(-2, 2), min_size=2, max_size=30, unique=True).map(sorted))
def test_values_are_counted_as_numpy_counts_them(values: FloatArray, edges: list[float]) -> None:
    bins = np.array(edges)
    assert distribution.count_in_bins(values, bins).tolist() == np.histogram(values, bins)[0].tolist()


def test_parts_of_different_references_do_not_merge() -> None:
    exact = distribution.fit(np.array([1.0]))
    long = distribution.fit(np.linspace(0, 1, 10_000))
    parts = [distribution.summarize(state, np.array([1.0])) for state in (exact, long)]
    with pytest.raises(TypeError, match="same reference"):
        distribution.merge(parts[0], parts[1])
    for method in (kolmogorov_smirnov, wasserstein):
        with pytest.raises(TypeError, match="another reference"):
            method.finish(exact, parts[1])


@given(
    st.lists(st.floats(-1e6, 1e6), max_size=60),
    st.floats(-1e15, 1e15) | st.just(0.0),
    st.floats(1e-3, 1e6) | st.floats(5e-324, 1e-300),
    st.integers(1, 10_000),
    st.randoms(use_true_random=False),
)
def test_counting_by_arithmetic_is_counting_by_search(
    values: list[float], lowest: float, width: float, bins: int, random: Random
) -> None:
    edges = np.linspace(lowest, lowest + width, bins + 1)
    shuffled = [*values, *edges[:: max(1, bins // 7)].tolist()]
    random.shuffle(shuffled)
    np.testing.assert_array_equal(
        count_on_grid(np.array(shuffled), edges), count_in_bins(np.sort(np.array(shuffled)), edges)
    )
