"""Count, sum and sum of squares of a column, to twice the precision of a float. No I/O here.

So a chunk's mean, sum and standard deviation are the same whatever the order of its rows and however it was cut into
parts: they merge far below 1e-12 (relative), also where values cancel or lie close together far from 0.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, sqrt
from typing import Self

import numpy as np

from driftline.engine.columns import FloatArray

_SPLITTER = 134_217_729.0  # 2**27 + 1 (Dekker 1971): halves of a float whose products are exact


@dataclass(frozen=True, slots=True)
class PreciseSum:
    """A sum as two floats: `high` is the sum, rounded, and `low` what the rounding left out. Too large is infinite."""

    high: float
    low: float

    @classmethod
    def of(cls, highs: FloatArray, lows: FloatArray) -> Self:
        """Add numbers up, each a float and what its rounding left out: pairwise, keeping what every addition rounds."""
        with np.errstate(over="ignore", invalid="ignore"):
            while len(highs) > 1:
                highs, lows = _halved(highs, lows)
        high, low = (float(part.sum()) for part in (highs, lows))
        return cls(high + low, low - ((high + low) - high)) if isfinite(high + low) else cls(float("inf"), 0.0)

    def merge(self, other: "PreciseSum") -> "PreciseSum":
        """Add two sums."""
        return PreciseSum.of(np.array([self.high, other.high]), np.array([self.low, other.low]))

    @property
    def exact(self) -> Fraction:
        """Both floats together; `high` must be finite."""
        return Fraction(self.high) + Fraction(self.low)


@dataclass(frozen=True, slots=True)
class Sums:
    """How many values there are, their sum in the column's unit, and the sum of their squares."""

    count: int
    total: PreciseSum
    squares: PreciseSum

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Add finite values up."""
        return cls(len(values), PreciseSum.of(values, np.zeros(len(values))), PreciseSum.of(*_squares(values)))

    def merge(self, other: "Sums") -> "Sums":
        """Add the values of both."""
        return Sums(self.count + other.count, self.total.merge(other.total), self.squares.merge(other.squares))

    @property
    def mean(self) -> float:
        """The mean of at least one value; infinite where the sum is too large for a float."""
        return float(self.total.exact / self.count) if isfinite(self.total.high) else self.total.high

    @property
    def deviation(self) -> float:
        """The standard deviation of at least two values (n - 1); infinite where squares are too large for a float."""
        if not (isfinite(self.total.high) and isfinite(self.squares.high)):
            return float("inf")
        off = self.squares.exact - self.total.exact**2 / self.count
        return sqrt(max(off / (self.count - 1), Fraction(0)))


def _halved(highs: FloatArray, lows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add the second half of some numbers to the first: floats, and what rounding left out (Knuth's two-sum)."""
    half = len(highs) // 2
    one, other = highs[:half], highs[half : 2 * half]
    added = one + other
    taken = added - one
    lost = (one - (added - taken)) + (other - taken)
    rest = lows[:half] + lows[half : 2 * half] + lost
    return np.append(added, highs[2 * half :]), np.append(rest, lows[2 * half :])


def _squares(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the square of each value, and what its rounding left out (Dekker's product)."""
    with np.errstate(over="ignore", invalid="ignore"):
        squares = values * values
        scaled = _SPLITTER * values
        high = scaled - (scaled - values)
        low = values - high
        return squares, (high * high - squares) + 2 * high * low + low * low
