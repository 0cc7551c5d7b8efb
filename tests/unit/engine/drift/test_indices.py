"""Hellinger, L-infinity and the population stability index, by hand and by their laws."""

from math import log, sqrt
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.drift import hellinger, l_infinity, psi, wasserstein
from driftline.engine.drift.sketches import deciles, distribution, histogram
from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.drift.sketches.histogram import ChunkHistogram
from driftline.engine.frames.columns import FloatArray
from driftline.engine.outcome import Outcome

COUNTS = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 500), min_size=1)
VALUES = st.lists(st.floats(-1e3, 1e3) | st.integers(-3, 3).map(float), min_size=1, max_size=60).map(
    lambda values: np.sort(np.array(values))
)
REFERENCE, CHUNK = Frequencies({"a": 60, "b": 40}), Frequencies({"a": 30, "b": 50, "new": 20})


def _psi(reference: FloatArray, chunk: FloatArray) -> Outcome:
    state = deciles.fit(np.sort(reference))
    return psi.finish(state, deciles.summarize(state, np.sort(chunk)))


def test_each_by_hand() -> None:
    affinity = sqrt(0.6 * 0.3) + sqrt(0.4 * 0.5)
    assert hellinger.finish(REFERENCE, CHUNK).value == pytest.approx(sqrt(1 - affinity))
    assert l_infinity.finish(REFERENCE, CHUNK).value == pytest.approx(0.3)
    unseen = (0.2 - 0.005) * log(0.2 / 0.005)
    expected = (0.3 - 0.6) * log(0.3 / 0.6) + (0.5 - 0.4) * log(0.5 / 0.4) + unseen
    outcome = psi.finish(REFERENCE, CHUNK)
    assert outcome.value == pytest.approx(expected)
    assert (outcome.effect, outcome.rows) == (outcome.value, 100)


@given(VALUES, VALUES, st.randoms(use_true_random=False))
def test_a_chunk_is_counted_the_same_in_any_order(reference: FloatArray, chunk: FloatArray, random: Random) -> None:
    shuffled = np.array(random.sample(chunk.tolist(), len(chunk)))
    for sketch in (deciles, histogram, distribution):
        state = sketch.fit(reference)
        first, second = sketch.summarize(state, chunk), sketch.summarize(state, shuffled)
        assert first.counts.tolist() == second.counts.tolist()
        assert first.rows == second.rows == len(chunk)
    bins = histogram.fit(reference)
    assert histogram.summarize(bins, shuffled).counts.tolist() == np.histogram(chunk, bins.edges)[0].tolist()


def test_l_infinity_takes_each_unseen_category_by_itself() -> None:
    chunk = Frequencies({"a": 60, "x": 20, "y": 20})
    assert l_infinity.finish(REFERENCE, chunk).value == pytest.approx(0.4)
    assert l_infinity.finish(Frequencies({"a": 1}), chunk).value == pytest.approx(0.4)


@given(COUNTS, COUNTS)
def test_they_are_distances(first: dict[str, int], second: dict[str, int]) -> None:
    for method in (hellinger, l_infinity):
        value = method.finish(Frequencies(first), Frequencies(second)).value
        assert value is not None
        assert 0 <= value <= 1
        assert method.finish(Frequencies(first), Frequencies(first)).value == 0
    index = psi.finish(Frequencies(first), Frequencies(second)).value
    assert index is not None
    assert index >= 0
    assert psi.finish(Frequencies(first), Frequencies(first)).value == 0


def test_samples_that_share_nothing_are_as_far_as_can_be() -> None:
    state = histogram.fit(np.linspace(0, 1, 50))
    assert hellinger.finish(state, histogram.summarize(state, np.linspace(5, 6, 50))).value == pytest.approx(1)


def test_each_decile_of_the_reference_holds_a_tenth() -> None:
    state = deciles.fit(np.sort(np.random.default_rng(1).normal(size=1_000)))
    assert state.counts.tolist() == [100] * 10
    assert _psi(np.arange(1_000.0), np.arange(1_000.0)).value == 0


@given(VALUES, VALUES)
def test_every_value_is_counted_once_and_parts_add_up(reference: FloatArray, chunk: FloatArray) -> None:
    state = deciles.fit(reference)
    summary = deciles.summarize(state, chunk)
    assert (state.rows, summary.counts.sum(), summary.rows) == (len(reference), len(chunk), len(chunk))
    parts = histogram.merge(deciles.summarize(state, chunk[::2]), deciles.summarize(state, chunk[1::2]))
    assert parts.counts.tolist() == summary.counts.tolist()
    assert deciles.Deciles.from_dict(state.to_dict()).to_dict() == state.to_dict()


@pytest.mark.parametrize("move", [-1.0, 1.0])
def test_a_constant_reference_sees_a_move_to_either_side(move: float) -> None:
    constant = np.full(1_000, 3.0)
    assert _psi(constant, constant[:100]).value == 0
    moved = _psi(constant, constant[:100] + move).value
    assert moved is not None
    assert moved > 5


def test_a_reference_full_of_zeros_sees_what_changes_beside_them() -> None:
    reference = np.concatenate((np.zeros(700), np.linspace(1, 30, 300)))
    assert deciles.fit(reference).counts.tolist() == [0, 700, 100, 100, 100]
    fewer = np.concatenate((np.zeros(300), np.linspace(1, 30, 700)))
    value = _psi(reference, fewer).value
    assert value == pytest.approx((0.3 - 0.7) * log(3 / 7) + 3 * (0.7 / 3 - 0.1) * log(7 / 3), rel=0.01)


def test_rows_of_the_same_source_have_an_index_below_the_floor() -> None:
    rng = np.random.default_rng(5)
    value = _psi(rng.gamma(2, size=20_000), rng.gamma(2, size=1_000)).value
    assert value is not None
    assert value == pytest.approx(9 / 1_000, abs=0.01)


def test_a_long_reference_is_kept_whole_where_asked_for() -> None:
    rng = np.random.default_rng(2)
    reference, chunk = np.sort(rng.normal(size=12_000)), np.sort(rng.normal(0.5, size=300))
    unbinned, binned = distribution.fit_exact(reference), distribution.fit(reference)
    assert isinstance(unbinned.reference, distribution.Sample)
    assert len(unbinned.reference.values) == 12_000
    assert unbinned.spread == binned.spread
    exact = wasserstein.finish(unbinned, distribution.summarize(unbinned, chunk)).value
    rough = wasserstein.finish(binned, distribution.summarize(binned, chunk)).value
    apart = np.abs(reference - np.repeat(chunk, 40)).mean()
    assert exact == pytest.approx(apart, rel=1e-9)
    assert rough != pytest.approx(apart, rel=1e-9)


def test_counts_of_another_kind_of_column_are_refused() -> None:
    with pytest.raises(TypeError, match="another reference"):
        psi.finish(REFERENCE, ChunkHistogram(np.array([1]), 1))
