"""The rows in each of a reference's bins or categories, from which drift is localized. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.columns import IntArray
from driftline.engine.drift.sketches.side_by_side import State, Summary, counts


@dataclass(frozen=True, slots=True, eq=False)
class BinCounts:
    """Rows by bin or category of the reference; last come all other rows. Merges exactly."""

    counts: IntArray

    @classmethod
    def of(cls, state: State, summary: Summary) -> Self:
        """Count the rows of `summary` in the bins or categories of `state`."""
        return cls(counts(state, summary)[1])

    def merge(self, other: "BinCounts") -> "BinCounts":
        """Count the rows of both."""
        return BinCounts(self.counts + other.counts)

    def to_list(self) -> list[Any]:
        """Return the counts as values that JSON has."""
        counted: list[Any] = self.counts.tolist()
        return counted

    @classmethod
    def from_list(cls, stored: list[Any]) -> Self:
        """Return what `to_list` was made from."""
        return cls(np.asarray(stored, dtype=np.int64))
