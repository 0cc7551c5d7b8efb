"""A chunk's rows counted by bin of score, prediction and label. No I/O here."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.frames.columns import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCounts(Counts):
    """Counts of shape (2, bins) by prediction and bin of score; those of a multiclass model have a first axis by class.

    `scored` counts all rows with a score and a prediction, `labelled` those of them whose label is in, `positives`
    those of them whose label is 1, or the class.
    """

    scored: IntArray
    labelled: IntArray
    positives: IntArray

    @classmethod
    def empty(cls, *shape: int) -> Self:
        """Return the counts of no rows; `shape` is what precedes the axis by prediction and the number of bins."""
        *leading, bins = shape
        return cls(*(np.zeros((*leading, 2, bins), dtype=np.int64) for _ in range(3)))


def rows_of(counts: IntArray | FloatArray) -> FloatArray:
    """Return the number of rows of counts of shape (..., 2, bins)."""
    total: FloatArray = counts.sum((-1, -2)).astype(np.float64)
    return total
