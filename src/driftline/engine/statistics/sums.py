"""Count, sum and squares of a column, without rounding. No I/O here.

A chunk's mean, sum and standard deviation depend neither on the order of its rows nor on how it was cut into parts:
parts merge exactly, also where values cancel or lie close together far from 0. Only the results are rounded.
"""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Self

import numpy as np

from driftline.engine.frames.columns import FloatArray
from driftline.engine.sums.exact_sum import ExactSum

_LARGEST = 1e150
"""The square of a larger absolute value may be too large for a float."""


@dataclass(frozen=True, slots=True)
class Sums:
    """The number of values, their sum in the column's unit, and the sum of their squares (None if too large)."""

    count: int
    total: ExactSum
    squares: ExactSum | None

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Add up finite values."""
        too_large = len(values) and float(np.max(np.abs(values))) > _LARGEST
        return cls(len(values), ExactSum.of(values), None if too_large else ExactSum.of_squares(values))

    def merge(self, other: "Sums") -> "Sums":
        """Merge the sums of two parts of a chunk."""
        squares = self.squares.merge(other.squares) if self.squares and other.squares else None
        return Sums(self.count + other.count, self.total.merge(other.total), squares)

    @property
    def mean(self) -> float:
        """The mean of at least one value."""
        return self.total.mean(self.count)

    @property
    def deviation(self) -> float:
        """The standard deviation of at least two values (n - 1); infinite where squares are too large for a float."""
        return sqrt(self.squares.squared_deviations(self.total, self.count) / (self.count - 1)) if self.squares else inf
