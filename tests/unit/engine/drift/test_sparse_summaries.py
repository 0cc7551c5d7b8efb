"""The summary of a chunk against a long reference takes room for its rows, not for the reference's bins."""

import pickle

import numpy as np
import pytest

from driftline.engine.drift.sketches import distribution
from driftline.engine.drift.sketches.distribution import BINS, GridCounts

RNG = np.random.default_rng(2)
REFERENCE = distribution.fit(np.sort(RNG.normal(size=20_000)))
VALUES = np.concatenate((RNG.normal(size=500), [-9.0, 9.5, 9.0]))


def summarize(values: np.ndarray) -> GridCounts:
    summary = distribution.summarize(REFERENCE, values)
    assert isinstance(summary, GridCounts)
    return summary


def test_counts_are_those_of_a_histogram() -> None:
    grid = REFERENCE.reference
    assert isinstance(grid, distribution.Grid)
    inside = VALUES[(grid.lowest <= VALUES) & (grid.highest >= VALUES)]
    assert (
        summarize(VALUES).counts.tolist()
        == np.histogram(inside, np.linspace(grid.lowest, grid.highest, BINS + 1))[0].tolist()
    )


@pytest.mark.parametrize("rows", [0, 1, 30, 500])
def test_a_small_chunk_has_a_small_summary(rows: int) -> None:
    summary = summarize(VALUES[:rows])
    assert summary.positions.nbytes + summary.filled.nbytes <= 3 * rows
    assert len(pickle.dumps(summary)) < 1_000 + 4 * rows


def test_merged_parts_are_the_summary_of_all_rows() -> None:
    merged, at_once = summarize(VALUES[:200]).merge(summarize(VALUES[200:])), summarize(VALUES)
    assert merged.rows == at_once.rows == len(VALUES)
    assert merged.counts.tolist() == at_once.counts.tolist()
    assert (merged.below, merged.above) == (at_once.below, at_once.above) == (1, 2)


def test_a_bin_may_have_more_rows_than_a_small_number_holds() -> None:
    many = summarize(np.full(70_000, 0.1))
    assert many.counts.max() == 70_000
    assert many.merge(many).counts.max() == 140_000
