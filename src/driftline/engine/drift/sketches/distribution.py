"""The distribution of a continuous column, which Kolmogorov-Smirnov and Wasserstein compare. No I/O here.

A reference of fewer than 10,000 values is stored exactly (distinct values with counts), a longer one as 10,000 bins of
equal width between its lowest and highest value: NannyML's "auto" rule. Counts merge exactly either way, and so do the
sums of distances beyond the bins (Wasserstein).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.sums.exact_sum import ExactSum

EXACT_BELOW = 10_000
"""A reference with fewer values than this is stored exactly."""
BINS = 10_000


@dataclass(frozen=True, eq=False)
class Sample:
    """Distinct values, ascending, with their counts: an exact reference, or a chunk compared with one."""

    values: FloatArray
    counts: IntArray

    @classmethod
    def of(cls, ordered: FloatArray) -> Self:
        """Count the distinct values of an ascending array."""
        firsts = np.flatnonzero(np.diff(ordered, prepend=np.nan) != 0)
        return cls(ordered[firsts], np.diff(firsts, append=len(ordered)))

    @cached_property
    def rows(self) -> int:
        """The number of values, repeated ones included."""
        return int(self.counts.sum())

    @cached_property
    def cumulative_counts(self) -> IntArray:
        """The number of values at or below each distinct value, after a leading 0."""
        return np.concatenate(([0], np.cumsum(self.counts)))

    @cached_property
    def shares(self) -> FloatArray:
        """The share of values at or below each distinct value."""
        return self.cumulative_counts[1:] / self.rows

    def share_up_to(self, points: FloatArray) -> FloatArray:
        """Return the share of values at or below each of `points`."""
        shares: FloatArray = self.cumulative_counts[np.searchsorted(self.values, points, side="right")] / self.rows
        return shares

    def merge(self, other: "Sample") -> "Sample":
        """Merge the counts of two parts of a chunk."""
        values, positions = np.unique(np.concatenate((self.values, other.values)), return_inverse=True)
        counts = np.zeros(len(values), dtype=np.int64)
        np.add.at(counts, positions, np.concatenate((self.counts, other.counts)))
        return Sample(values, counts)


@dataclass(frozen=True, eq=False)
class Grid:
    """A long reference: values counted in half-open bins (the last closed) of equal width, `lowest` to `highest`."""

    lowest: float
    highest: float
    counts: IntArray

    @cached_property
    def edges(self) -> FloatArray:
        """The edges of the bins, one more than there are bins."""
        return np.linspace(self.lowest, self.highest, len(self.counts) + 1)

    @cached_property
    def rows(self) -> int:
        """The number of values."""
        return int(self.counts.sum())

    @cached_property
    def shares(self) -> FloatArray:
        """The share of values up to the end of each bin."""
        return np.cumsum(self.counts) / self.rows


@dataclass(frozen=True, eq=False)
class GridCounts:
    """A chunk's values counted in a reference's bins; only bins that have values are stored, at their `positions`.

    So a chunk of few rows takes little memory, however many `bins` there are. `below` and `above` count the values
    beyond the bins; `below_by` and `above_by` are the sums of their distances to the bins, in the column's unit.
    """

    bins: int
    positions: npt.NDArray[np.int16]
    filled: npt.NDArray[np.unsignedinteger[Any]]
    below: int
    below_by: ExactSum
    above: int
    above_by: ExactSum

    @classmethod
    def of(cls, counts: IntArray, below: int, below_by: ExactSum, above: int, above_by: ExactSum) -> Self:
        """Store the bins that have values."""
        positions = np.flatnonzero(counts)
        smallest: Any = np.min_scalar_type(int(counts.max(initial=0)))
        filled: npt.NDArray[np.unsignedinteger[Any]] = counts[positions].astype(smallest)
        return cls(len(counts), positions.astype(np.int16), filled, below, below_by, above, above_by)

    @cached_property
    def rows(self) -> int:
        """The number of values, inside the bins and beyond."""
        return int(self.filled.sum(dtype=np.int64)) + self.below + self.above

    @property
    def counts(self) -> IntArray:
        """The values in each bin."""
        counts = np.zeros(self.bins, dtype=np.int64)
        counts[self.positions] = self.filled
        return counts

    def merge(self, other: "GridCounts") -> "GridCounts":
        """Merge the counts of two parts of a chunk."""
        return GridCounts.of(
            self.counts + other.counts,
            self.below + other.below,
            self.below_by.merge(other.below_by),
            self.above + other.above,
            self.above_by.merge(other.above_by),
        )


Summary = Sample | GridCounts


@dataclass(frozen=True, eq=False)
class Distribution:
    """The reference of a continuous column: its values, exact or binned, and their standard deviation (population)."""

    reference: Sample | Grid
    spread: float

    @property
    def rows(self) -> int:
        """How many values the reference has."""
        return self.reference.rows

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values; floats keep every digit."""
        match self.reference:
            case Sample(values, counts):
                return {"spread": self.spread, "values": values.tolist(), "counts": counts.tolist()}
            case Grid(lowest, highest, counts):
                return {"spread": self.spread, "lowest": lowest, "highest": highest, "counts": counts.tolist()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        counts = np.asarray(state["counts"], dtype=np.int64)
        if "values" in state:
            return cls(Sample(np.asarray(state["values"], dtype=np.float64), counts), state["spread"])
        return cls(Grid(state["lowest"], state["highest"], counts), state["spread"])


def fit(ordered: FloatArray) -> Distribution:
    """Fit on a reference's finite values, in ascending order; constant values are always stored exactly."""
    spread = float(np.std(ordered)) if len(ordered) else 0.0
    if len(ordered) < EXACT_BELOW or ordered[0] == ordered[-1]:
        return Distribution(Sample.of(ordered), spread)
    lowest, highest = float(ordered[0]), float(ordered[-1])
    return Distribution(Grid(lowest, highest, count_in_bins(ordered, np.linspace(lowest, highest, BINS + 1))), spread)


def fit_exact(ordered: FloatArray) -> Distribution:
    """Store all of a reference's finite values, given in ascending order, for `spec.exact_distances`.

    The state has two numbers for each distinct value, some 25 bytes of JSON: 2.5 MB for 100,000 distinct values.
    """
    return Distribution(Sample.of(ordered), float(np.std(ordered)) if len(ordered) else 0.0)


def summarize(state: Distribution, values: FloatArray) -> Summary:
    """Count a chunk's finite values, in any order, as exactly as the reference in `state`."""
    grid = state.reference
    if isinstance(grid, Sample):
        return Sample.of(np.sort(values))
    below, above = values[values < grid.lowest], values[values > grid.highest]
    return GridCounts.of(
        count_on_grid(values, grid.edges),
        below=len(below),
        below_by=ExactSum.of(grid.lowest - below),
        above=len(above),
        above_by=ExactSum.of(above - grid.highest),
    )


def merge(left: Summary, right: Summary) -> Summary:
    """Count the values of two parts of a chunk, both summarized against the same reference."""
    if isinstance(left, Sample) and isinstance(right, Sample):
        return left.merge(right)
    if isinstance(left, GridCounts) and isinstance(right, GridCounts):
        return left.merge(right)
    msg = "only parts that were summarized against the same reference can be merged"
    raise TypeError(msg)


def count_on_grid(values: FloatArray, edges: FloatArray) -> IntArray:
    """Count values, in any order, as `count_in_bins` does in bins of equal width: by arithmetic, then corrected."""
    bins = len(edges) - 1
    width = edges[-1] - edges[0]
    narrowest = max(16 * np.spacing(np.abs(edges).max()), np.finfo(np.float64).tiny)
    if not width / bins > narrowest:  # rounding would cross several bins
        return count_in_bins(np.sort(values), edges)
    within = (values >= edges[0]) & (values <= edges[-1])
    inside = values if within.all() else values[within]
    positions = np.minimum(((inside - edges[0]) * (bins / width)).astype(np.int64), bins - 1)
    positions -= inside < edges[positions]
    positions += (inside >= edges[positions + 1]) & (positions < bins - 1)
    return np.bincount(positions, minlength=bins)


def count_in_bins(ordered: FloatArray, edges: FloatArray) -> IntArray:
    """Count ascending values in bins, each half-open except for the last, as numpy.histogram does for given edges."""
    if len(ordered) < len(edges):
        inside = ordered[(ordered >= edges[0]) & (ordered <= edges[-1])]
        positions = np.minimum(np.searchsorted(edges, inside, side="right") - 1, len(edges) - 2)
        return np.bincount(positions, minlength=len(edges) - 1)
    starts = np.searchsorted(ordered, edges[:-1], side="left")
    return np.diff(starts, append=np.searchsorted(ordered, edges[-1], side="right"))
