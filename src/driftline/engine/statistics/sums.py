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
    """A sum as two floats: `high` is the rounded sum, `low` its rounding error; infinite if too large for a float."""

    high: float
    low: float

    @classmethod
    def of(cls, highs: FloatArray, lows: FloatArray) -> Self:
        """Add up numbers pairwise, each a float and its rounding error; the error of every addition is kept."""
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
    """The number of values, their sum in the column's unit, and the sum of their squared distances to the mean."""

    count: int
    total: PreciseSum
    squares: PreciseSum

    @classmethod
    def of(cls, values: FloatArray) -> Self:
        """Add up finite values."""
        total = PreciseSum.of(values, np.zeros(len(values)))
        return cls(len(values), total, _squares_around(values, total))

    def merge(self, other: "Sums") -> "Sums":
        """Merge the sums of two parts of a chunk."""
        squares = self.squares.merge(other.squares).merge(self._between(other))
        return Sums(self.count + other.count, self.total.merge(other.total), squares)

    def _between(self, other: "Sums") -> PreciseSum:
        """Return the part of the squares that comes from the distance of the means of two parts."""
        if not (self.count and other.count):
            return _ZERO
        if not (self.total.finite and other.total.finite):
            return _TOO_LARGE
        distance = self.total.exact / self.count - other.total.exact / other.count
        return PreciseSum.near(distance**2 * self.count * other.count / (self.count + other.count))

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
    """Add the second half of the numbers to the first; each number is a float and its rounding error."""
    half = len(highs) // 2
    sums, errors = _added(highs[:half], highs[half : 2 * half])
    all_errors = lows[:half] + lows[half : 2 * half] + errors
    return np.append(sums, highs[2 * half :]), np.append(all_errors, lows[2 * half :])


def _added(left: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the sums of two arrays, and their rounding errors (Knuth's two-sum)."""
    with np.errstate(over="ignore", invalid="ignore"):
        sums = left + right
        rounded_right = sums - left
        return sums, (left - (sums - rounded_right)) + (right - rounded_right)


def _squares(highs: FloatArray, lows: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the square of each number; numbers and squares are a float and its rounding error.

    The square of a float is exact (Dekker's product).
    """
    with np.errstate(over="ignore", invalid="ignore"):
        squares = highs * highs
        scaled = _SPLITTER * highs
        upper = scaled - (scaled - highs)
        lower = highs - upper
        errors = (upper * upper - squares) + 2 * upper * lower + lower * lower
        return squares, errors + (2 * highs * lows + lows * lows)
