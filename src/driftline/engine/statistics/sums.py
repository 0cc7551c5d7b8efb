"""Count, sum and squared differences from the mean of a column, to twice the precision of a float. No I/O here.

A chunk's mean, sum and standard deviation depend neither on the order of its rows nor on how it was cut into parts:
merged parts agree far below 1e-12 (relative), also where values cancel or lie close together far from 0. Squares are of
differences from the mean of a part, and parts merge by the distance of their means (Chan, Golub and LeVeque 1979), in
fractions: squares of the values themselves would lose their last digits.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, sqrt
from typing import Self

import numpy as np

from driftline.engine.columns import FloatArray

_SPLITTER = 134_217_729.0  # 2**27 + 1 (Dekker 1971): halves of a float whose products are exact
_LARGEST = float(np.finfo(np.float64).max)


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

    @classmethod
    def near(cls, exact: Fraction) -> Self:
        """Round a fraction to two floats."""
        high = float(exact) if abs(exact) <= _LARGEST else float("inf")
        return cls(high, float(exact - Fraction(high))) if isfinite(high) else cls(high, 0.0)

    def merge(self, other: "PreciseSum") -> "PreciseSum":
        """Add two sums."""
        return PreciseSum.of(np.array([self.high, other.high]), np.array([self.low, other.low]))

    @property
    def finite(self) -> bool:
        """Whether the sum is not too large for a float."""
        return isfinite(self.high)

    @property
    def exact(self) -> Fraction:
        """Both floats together; `high` must be finite."""
        return Fraction(self.high) + Fraction(self.low)


_ZERO = PreciseSum(0.0, 0.0)
_TOO_LARGE = PreciseSum(float("inf"), 0.0)


@dataclass(frozen=True, slots=True)
class Sums:
    """How many values there are, their sum in the column's unit, and the sum of their squared distances to the mean."""

    count: int
    total: PreciseSum
    squares: PreciseSum

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Add finite values up."""
        total = PreciseSum.of(values, np.zeros(len(values)))
        return cls(len(values), total, _squares_around(values, total))

    def merge(self, other: "Sums") -> "Sums":
        """Add the values of both."""
        squares = self.squares.merge(other.squares).merge(self._between(other))
        return Sums(self.count + other.count, self.total.merge(other.total), squares)

    def _between(self, other: "Sums") -> PreciseSum:
        """Return the part of the squares that comes from the distance of the means of two parts."""
        if not (self.count and other.count):
            return _ZERO
        if not (self.total.finite and other.total.finite):
            return _TOO_LARGE
        apart = self.total.exact / self.count - other.total.exact / other.count
        return PreciseSum.near(apart**2 * self.count * other.count / (self.count + other.count))

    @property
    def mean(self) -> float:
        """The mean of at least one value; infinite where the sum is too large for a float."""
        return float(self.total.exact / self.count) if self.total.finite else self.total.high

    @property
    def deviation(self) -> float:
        """The standard deviation of at least two values (n - 1); infinite where squares are too large for a float."""
        return sqrt(max(self.squares.exact / (self.count - 1), Fraction(0))) if self.squares.finite else float("inf")


def _squares_around(values: FloatArray, total: PreciseSum) -> PreciseSum:
    """Add up the squared distances of values to their mean; `total` is their sum."""
    if not len(values):
        return _ZERO
    if not total.finite:
        return _TOO_LARGE
    mean = total.exact / len(values)
    near = float(mean)
    squares = PreciseSum.of(*_squares(*_added(values, np.full(len(values), -near))))
    return PreciseSum.near(squares.exact - len(values) * (mean - Fraction(near)) ** 2) if squares.finite else squares


def _halved(highs: FloatArray, lows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Add the second half of some numbers to the first: floats, and what rounding left out."""
    half = len(highs) // 2
    added, lost = _added(highs[:half], highs[half : 2 * half])
    rest = lows[:half] + lows[half : 2 * half] + lost
    return np.append(added, highs[2 * half :]), np.append(rest, lows[2 * half :])


def _added(one: FloatArray, other: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the sums of two arrays, and what their rounding left out (Knuth's two-sum)."""
    with np.errstate(over="ignore", invalid="ignore"):
        added = one + other
        taken = added - one
        return added, (one - (added - taken)) + (other - taken)


def _squares(highs: FloatArray, lows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the square of each number (a float and what its rounding left out), as such a pair too.

    The square of a float is exact (Dekker's product).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        squares = highs * highs
        scaled = _SPLITTER * highs
        half = scaled - (scaled - highs)
        rest = highs - half
        return squares, (half * half - squares) + 2 * half * rest + rest * rest + (2 * highs * lows + lows * lows)
