"""Sums of floats without rounding, independent of the order of the numbers and of how they are grouped. No I/O here."""

from dataclasses import dataclass
from math import inf
from typing import Self

import numpy as np

from driftline.engine.frames.columns import FloatArray

_SCALE = 1074
"""Every float is a whole number of 2**-1074."""
_BLOCK = 2**14
"""The number of values that are added at a time; it leaves 38 bits for each slice of a number."""
_LARGEST = 2.0**950
"""Larger absolute values are added one by one, since slices of them would overflow."""
_SPLITTER = 134_217_729.0  # 2**27 + 1 (Dekker 1971): halves of a float whose products are exact


@dataclass(frozen=True, slots=True)
class ExactSum:
    """The sum of some finite floats as a whole number of 2**-1074. Merges exactly."""

    scaled: int = 0

    @classmethod
    def of(cls, *arrays: FloatArray) -> Self:
        """Add up the numbers of all arrays; raises ValueError for a number that is not finite.

        Each block of numbers is divided into slices of bits, from the highest down, whose float sums are exact (Rump,
        Ogita and Oishi 2008).
        """
        return cls(sum(_block_sum(array[first : first + _BLOCK]) for array in arrays for first in _starts(array)))

    @classmethod
    def of_squares(cls, values: FloatArray) -> Self:
        """Add up squares, each as a float and its rounding error; absolute values must be at most 1e150."""
        scaled = _SPLITTER * values
        upper = scaled - (scaled - values)
        lower = values - upper
        squares = values * values
        return cls.of(squares, (upper * upper - squares) + 2 * upper * lower + lower * lower)

    def merge(self, other: "ExactSum") -> "ExactSum":
        """Return the sum of two sums."""
        return ExactSum(self.scaled + other.scaled)

    @property
    def value(self) -> float:
        """The sum, rounded once; infinite if too large for a float."""
        return self.mean(1)

    def mean(self, rows: int) -> float:
        """Return the sum divided by `rows`, rounded once; infinite if too large for a float."""
        try:
            return self.scaled / (rows << _SCALE)
        except OverflowError:
            return inf if self.scaled > 0 else -inf

    def squared_deviations(self, total: "ExactSum", rows: int) -> float:
        """Return the sum of squared distances to the mean; this is the sum of the squares of `rows` numbers.

        `total` is the sum of the numbers. No digits cancel, since only the final result is rounded.
        """
        distances = max((self.scaled * rows << _SCALE) - total.scaled**2, 0)
        try:
            return distances / (rows << 2 * _SCALE)
        except OverflowError:
            return inf


def _starts(array: FloatArray) -> range:
    return range(0, len(array), _BLOCK)


def _block_sum(values: FloatArray) -> int:
    """Return the sum of at most `_BLOCK` numbers as a whole number of 2**-1074."""
    highest = float(np.max(np.abs(values)))
    if not highest <= _LARGEST:
        return sum(map(_as_integer, values.tolist()))
    total = 0
    while highest:
        step = np.ldexp(2.0 * _BLOCK, np.frexp(highest)[1])
        slices = (values + step) - step
        total += _as_integer(float(slices.sum()))
        values = values - slices
        highest = float(np.max(np.abs(values)))
    return total


def _as_integer(number: float) -> int:
    """Return a float as a whole number of 2**-1074."""
    if not np.isfinite(number):
        msg = f"only finite numbers can be added exactly, not {number}"
        raise ValueError(msg)
    numerator, denominator = number.as_integer_ratio()
    return numerator << (_SCALE - denominator.bit_length() + 1)
