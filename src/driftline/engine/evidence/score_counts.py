"""A chunk's rows counted by bin of score, prediction and label, from which evidence is computed. No I/O here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.columns import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCounts:
    """Counts of shape (2, bins) by prediction and bin of score; those of several chunks have a further first axis.

    `scored` counts all rows with a score and a prediction, `labelled` those of them whose label is in, `positives`
    those of them whose label is 1.
    """

    scored: IntArray
    labelled: IntArray
    positives: IntArray

    @classmethod
    def empty(cls, bins: int) -> Self:
        """Return the counts of no rows."""
        return cls(*(np.zeros((2, bins), dtype=np.int64) for _ in range(3)))

    @classmethod
    def stack(cls, counts: Iterable["ScoreCounts"]) -> Self:
        """Return the counts of several chunks in one, with a first axis for the chunk."""
        parts = [(c.scored, c.labelled, c.positives) for c in counts]
        return cls(*(np.stack(arrays) for arrays in zip(*parts, strict=True)))

    def merge(self, other: "ScoreCounts") -> "ScoreCounts":
        """Merge the counts of two parts of a chunk."""
        return ScoreCounts(self.scored + other.scored, self.labelled + other.labelled, self.positives + other.positives)

    def __getitem__(self, chunks: Any) -> "ScoreCounts":
        """Return some chunks of stacked counts."""
        return ScoreCounts(self.scored[chunks], self.labelled[chunks], self.positives[chunks])

    def to_list(self) -> list[Any]:
        """Return the counts as JSON-compatible values."""
        return [self.scored.tolist(), self.labelled.tolist(), self.positives.tolist()]

    @classmethod
    def from_list(cls, stored: Sequence[Any]) -> Self:
        """Return the counts that `to_list` serialized."""
        return cls(*(np.asarray(part, dtype=np.int64) for part in stored))


def rows_of(counts: IntArray | FloatArray) -> FloatArray:
    """Return the number of rows of counts of shape (..., 2, bins)."""
    total: FloatArray = counts.sum((-1, -2)).astype(np.float64)
    return total
