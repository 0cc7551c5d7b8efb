"""The values of a column in order, for its median and quantiles. Merges exactly. No I/O here.

Up to 100,000 distinct values are stored, and quantiles are exact. Beyond that, values whose floats begin with the
same bits are counted together, with as many bits as leave at most 100,000 groups (1.6 MB). How many bits those are
depends on the values alone, not on their order or on how they were cut into parts. A quantile is then off by at most
half the width of its group: about k / 100,000 of the value where values span k powers of two, never more than 1/64.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.engine.frames.columns import FloatArray, IntArray

MAXIMUM_GROUPS = 100_000
"""The largest number of distinct values, or groups of near values, that are stored."""
_MAGNITUDE = np.int64(0x7FFF_FFFF_FFFF_FFFF)


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """Groups of near values, ascending, and how many values each has.

    A value's key is its float's bits read as a whole number, in the order of the values; a group has the keys that are
    the same without their lowest `dropped` bits. With `dropped` 0 a group is one value.
    """

    dropped: int
    groups: IntArray
    counts: IntArray

    @classmethod
    def of(cls, ordered: FloatArray) -> Self:
        """Group finite values, given in ascending order."""
        return cls(*_grouped(0, _keys(ordered), np.ones(len(ordered), dtype=np.int64)))

    def merge(self, other: "Ordered") -> "Ordered":
        """Merge the groups of two parts of a chunk."""
        dropped = max(self.dropped, other.dropped)
        groups = np.concatenate((self.groups >> (dropped - self.dropped), other.groups >> (dropped - other.dropped)))
        order = np.argsort(groups, kind="stable")
        return Ordered(*_grouped(dropped, groups[order], np.concatenate((self.counts, other.counts))[order]))

    def quantile(self, share: float) -> tuple[float, float]:
        """Return the quantile at `share` of at least one value, and by how much it may be off.

        Between two values it is interpolated, as numpy and pandas do by default.
        """
        rank = share * (int(self.counts.sum()) - 1)
        below = int(rank)
        lowest, highest = self._edges(np.array([below, min(below + 1, int(self.counts.sum()) - 1)]))
        below_value, above_value = (lowest / 2 + highest / 2).tolist() if self.dropped else lowest.tolist()
        return below_value + (above_value - below_value) * (rank - below), float(np.max(highest / 2 - lowest / 2))

    def _edges(self, ranks: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return the lowest and the highest value that the groups at some ranks may have."""
        groups = self.groups[np.searchsorted(np.cumsum(self.counts), ranks, side="right")]
        first = groups << self.dropped
        last = first | ((np.int64(1) << self.dropped) - 1)
        largest = np.finfo(np.float64).max
        return tuple(np.clip(_values(keys), -largest, largest) for keys in (first, last))  # type: ignore[return-value]


def _grouped(dropped: int, groups: IntArray, counts: IntArray) -> tuple[int, IntArray, IntArray]:
    """Merge equal ascending groups, dropping the fewest further bits that leave at most `MAXIMUM_GROUPS`."""
    bits = _bits_to_drop(groups)
    coarse = groups >> bits
    firsts = _firsts(coarse)
    return dropped + bits, coarse[firsts], np.add.reduceat(counts, firsts) if len(firsts) else counts


def _bits_to_drop(groups: IntArray) -> int:
    """Return the fewest bits whose removal leaves at most the maximum number of groups, by bisection."""
    least, most = 0, 64 if len(_firsts(groups)) > MAXIMUM_GROUPS else 0
    while least < most:
        middle = (least + most) // 2
        if len(_firsts(groups >> middle)) > MAXIMUM_GROUPS:
            least = middle + 1
        else:
            most = middle
    return least


def _firsts(groups: IntArray) -> IntArray:
    """Return where each distinct value of ascending groups begins."""
    return np.flatnonzero(np.concatenate(([True], np.diff(groups) != 0)))[: len(groups)]


def _keys(values: FloatArray) -> IntArray:
    bits = (values + 0.0).view(np.int64)
    return np.where(bits < 0, bits ^ _MAGNITUDE, bits)


def _values(keys: IntArray) -> FloatArray:
    return np.where(keys < 0, keys ^ _MAGNITUDE, keys).view(np.float64)
