"""Isotonic regression of 0/1 labels on scores, by pooling adjacent violators. No I/O here.

Blocks hold integer counts, so their means are compared exactly. Each round pools all neighbors that violate the order;
half a million rows take about a dozen rounds, each on a fraction of the blocks of the previous one.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from driftline.engine.frames.columns import FloatArray, IntArray

_SAME_SCORE = float(np.finfo(np.float64).resolution)
Labels = npt.NDArray[np.int8]
"""0 or 1 in one byte each, since there is one label per row."""


@dataclass(frozen=True, slots=True, eq=False)
class SortedRows:
    """Rows in ascending order of their score, each with its label of 0 or 1.

    `distinct` states that no two different scores are closer than 1e-15.
    """

    scores: FloatArray
    labels: Labels
    distinct: bool

    @classmethod
    def of(cls, scores: FloatArray, labels: IntArray) -> Self:
        """Store rows that are sorted by score; the order of labels within equal scores is irrelevant."""
        steps = np.diff(scores)
        return cls(scores, labels.astype(np.int8), distinct=not np.any((steps > 0) & (steps < _SAME_SCORE)))

    def __getitem__(self, mask: npt.NDArray[np.bool_]) -> "SortedRows":
        return SortedRows(self.scores[mask], self.labels[mask], self.distinct)


def knots(rows: SortedRows) -> tuple[FloatArray, FloatArray]:
    """Return the scores where the regression bends, ascending, and its value at each: both ends of each constant piece.

    Scores that differ by less than 1e-15 count as equal, as in scikit-learn's IsotonicRegression, whose curve this is.
    """
    firsts = _firsts_of_equal(rows)
    starts, sums, counts = _pool(*_blocks(rows.labels, firsts))
    ends = np.column_stack((starts, np.append(starts[1:], len(firsts)) - 1)).ravel()
    bends = np.diff(ends, prepend=-1) > 0
    return rows.scores[firsts[ends[bends]]], np.repeat(sums / counts, 2)[bends]


def _firsts_of_equal(rows: SortedRows) -> IntArray:
    """Return where each new score begins; one within 1e-15 of the first of its group counts as equal."""
    ordered = rows.scores
    firsts = np.flatnonzero(np.concatenate(([True], ordered[1:] > ordered[:-1])))
    if rows.distinct:
        return firsts
    group_firsts = [int(firsts[0])]
    for first in firsts[1:].tolist():
        if ordered[first] - ordered[group_firsts[-1]] >= _SAME_SCORE:
            group_firsts.append(first)
    return np.asarray(group_firsts, dtype=np.int64)


def _blocks(labels: Labels, firsts: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the initial blocks: the position of their first score, their rows of class 1 and all their rows."""
    if len(firsts) < len(labels):
        sums = np.add.reduceat(labels, firsts, dtype=np.int64)
        return np.arange(len(firsts)), sums, np.diff(firsts, append=len(labels))
    # Each score has one row, so means increase only where a label of 1 follows a label of 0.
    starts = np.flatnonzero(np.concatenate(([True], labels[1:] > labels[:-1])))
    return starts, np.add.reduceat(labels, starts, dtype=np.int64), np.diff(starts, append=len(labels))


def _pool(starts: IntArray, sums: IntArray, counts: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Pool neighbors whose means do not increase, until all means do."""
    while True:
        increases = sums[:-1] * counts[1:] < sums[1:] * counts[:-1]
        if increases.all():
            return starts, sums, counts
        remaining = np.flatnonzero(np.concatenate(([True], increases)))
        starts, sums, counts = starts[remaining], np.add.reduceat(sums, remaining), np.add.reduceat(counts, remaining)
