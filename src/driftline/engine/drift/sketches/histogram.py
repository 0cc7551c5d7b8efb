"""A histogram of a continuous column, which Jensen-Shannon and Hellinger compare. Merges exactly. No I/O here."""

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any, Self

import numpy as np

from driftline.engine.drift.sketches.distribution import count_in_bins, count_on_grid
from driftline.engine.frames.columns import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """The reference of a continuous column: counts in bins of equal width; `edges` has one more entry than `counts`."""

    edges: FloatArray
    counts: IntArray

    @property
    def rows(self) -> int:
        """How many values the reference has."""
        return int(self.counts.sum())

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {"edges": self.edges.tolist(), "counts": self.counts.tolist()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(np.asarray(state["edges"], dtype=np.float64), np.asarray(state["counts"], dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class ChunkHistogram:
    """A chunk's values counted in a reference's bins; `rows` includes those beyond the bins."""

    counts: IntArray
    rows: int


def fit(ordered: FloatArray) -> Histogram:
    """Bin a reference's finite values, given in ascending order, by Doane's rule, as numpy does."""
    lowest, highest = (float(ordered[0]), float(ordered[-1])) if len(ordered) else (0.0, 1.0)
    if lowest == highest:
        lowest, highest = lowest - 0.5, highest + 0.5
    edges = np.linspace(lowest, highest, _doane(ordered) + 1)
    return Histogram(edges, count_in_bins(ordered, edges))


def _doane(ordered: FloatArray) -> int:
    """Return how many bins Doane's (1976) rule gives: more where the values are skewed. 1 for equal or two values.

    The same as numpy's, which cubes numbers at fifty times the cost.
    """
    rows = len(ordered)
    spread = float(np.std(ordered)) if rows > 2 else 0.0
    if not spread > 0:
        return 1
    deviations = (ordered - np.mean(ordered)) / spread
    skewness = float(np.mean(deviations * deviations * deviations))
    error = sqrt(6.0 * (rows - 2) / ((rows + 1.0) * (rows + 3.0)))
    width = float(np.ptp(ordered)) / (1.0 + np.log2(rows) + np.log2(1.0 + abs(skewness) / error))
    return max(1, ceil(float(np.ptp(ordered)) / width)) if width > 0 else 1


def summarize(state: Histogram, values: FloatArray) -> ChunkHistogram:
    """Count a chunk's finite values, in any order, in the reference's bins."""
    return ChunkHistogram(count_on_grid(values, state.edges), len(values))


def merge(left: ChunkHistogram, right: ChunkHistogram) -> ChunkHistogram:
    """Count the values of two parts of a chunk, both summarized against the same reference."""
    return ChunkHistogram(left.counts + right.counts, left.rows + right.rows)
