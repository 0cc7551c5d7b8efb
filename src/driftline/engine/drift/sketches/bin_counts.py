"""The number of rows in each of a reference's bins or categories, from which drift is localized. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.drift.sketches.aligned_counts import State, Summary, counts
from driftline.engine.frames.columns import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class BinCounts:
    """The number of rows in each bin or category of the reference, then of all other rows. Merges exactly."""

    counts: IntArray

    @classmethod
    def of(cls, state: State, summary: Summary) -> Self:
        """Count the rows of `summary` in the bins or categories of `state`."""
        return cls(counts(state, summary)[1])

    def merge(self, other: "BinCounts") -> "BinCounts":
        """Merge the counts of two parts of a chunk."""
        return BinCounts(self.counts + other.counts)

    def to_list(self) -> list[Any]:
        """Return the counts as JSON-compatible values."""
        values: list[Any] = self.counts.tolist()
        return values

    @classmethod
    def from_list(cls, stored: list[Any]) -> Self:
        """Return the counts that `to_list` serialized."""
        return cls(np.asarray(stored, dtype=np.int64))
