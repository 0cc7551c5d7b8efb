"""Isotonic regression of 0/1 labels on scores, by pooling adjacent violators. No I/O here.

Blocks are counted in whole numbers, so means are compared exactly. All neighbours that violate the order are pooled at
once, which on half a million rows takes some dozen rounds, each on a fraction of the blocks of the one before.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from driftline.engine.columns import FloatArray, IntArray

_SAME_SCORE = float(np.finfo(np.float64).resolution)
Labels = npt.NDArray[np.int8]
"""0 or 1 in one byte: there are as many as rows."""


@dataclass(frozen=True, slots=True, eq=False)
class Ascending:
    """Rows by score, from the lowest up, each with its label of 0 or 1.

    `apart` says that no two scores that differ are nearer to one another than 1e-15.
    """

    scores: FloatArray
    labels: Labels
    apart: bool

    @classmethod
    def of(cls, scores: FloatArray, labels: IntArray) -> Self:
        """Take rows that are in this order; the labels of equal scores are only counted."""
        steps = np.diff(scores)
        return cls(scores, labels.astype(np.int8), apart=not np.any((steps > 0) & (steps < _SAME_SCORE)))

    def __getitem__(self, chosen: npt.NDArray[np.bool_]) -> "Ascending":
        return Ascending(self.scores[chosen], self.labels[chosen], self.apart)


def knots(rows: Ascending) -> tuple[FloatArray, FloatArray]:
    """Return the scores where the regression bends, ascending, and its value at each: both ends of a level stretch.

    Scores that differ by less than 1e-15 are one, as in scikit-learn's IsotonicRegression; so is the curve.
    """
    firsts = _firsts_of_equal(rows)
    starts, sums, counts = _pooled(*_blocks(rows.labels, firsts))
    ends = np.column_stack((starts, np.append(starts[1:], len(firsts)) - 1)).ravel()
    bends = np.diff(ends, prepend=-1) > 0
    return rows.scores[firsts[ends[bends]]], np.repeat(sums / counts, 2)[bends]


def _firsts_of_equal(rows: Ascending) -> IntArray:
    """Return where a new score begins; one that differs by less than 1e-15 from the start of its group is the same."""
    ordered = rows.scores
    firsts = np.flatnonzero(np.concatenate(([True], ordered[1:] > ordered[:-1])))
    if rows.apart:
        return firsts
    kept = [int(firsts[0])]
    for first in firsts[1:].tolist():
        if ordered[first] - ordered[kept[-1]] >= _SAME_SCORE:
            kept.append(first)
    return np.asarray(kept, dtype=np.int64)


def _blocks(labels: Labels, firsts: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return blocks to begin with, by the place of their first score, with their rows of class 1 and all their rows."""
    if len(firsts) < len(labels):
        sums = np.add.reduceat(labels, firsts, dtype=np.int64)
        return np.arange(len(firsts)), sums, np.diff(firsts, append=len(labels))
    starts = np.flatnonzero(np.concatenate(([True], labels[1:] > labels[:-1])))  # single rows rise from 0 to 1 only
    return starts, np.add.reduceat(labels, starts, dtype=np.int64), np.diff(starts, append=len(labels))


def _pooled(starts: IntArray, sums: IntArray, counts: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Pool neighbours whose means do not rise, until all do."""
    while True:
        rises = sums[:-1] * counts[1:] < sums[1:] * counts[:-1]
        if rises.all():
            return starts, sums, counts
        kept = np.flatnonzero(np.concatenate(([True], rises)))
        starts, sums, counts = starts[kept], np.add.reduceat(sums, kept), np.add.reduceat(counts, kept)
