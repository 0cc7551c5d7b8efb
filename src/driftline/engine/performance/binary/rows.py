"""The rows of a chunk, counted by score, prediction and label: the summary for performance. No I/O here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray, as_floats
from driftline.engine.results import LABEL, PREDICTION, SCORE
from driftline.errors import InvalidInput

MISSING = 2
"""The code of a missing prediction or label, beside 0 and 1."""


@dataclass(frozen=True, eq=False)
class BinaryRows:
    """Counts of rows with equal score, prediction and label; ascending by score, rows without a score (NaN) last.

    `predictions` and `labels` are 0, 1 or MISSING. An infinite score counts as missing. Merges exactly.
    """

    scores: FloatArray
    predictions: IntArray
    labels: IntArray
    counts: IntArray

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "BinaryRows":
        """Count the rows of a chunk; raises InvalidInput for predictions and labels other than 0, 1 or missing."""
        scores = as_floats(frame[SCORE])
        scores = np.where(np.isfinite(scores), scores, np.nan)
        return _counted(scores, _binary(frame[PREDICTION]), _binary(frame[LABEL]), np.ones(len(frame), dtype=np.int64))

    def merge(self, other: "BinaryRows") -> "BinaryRows":
        """Merge the counts of two parts of a chunk."""
        return _counted(
            np.concatenate((self.scores, other.scores)),
            np.concatenate((self.predictions, other.predictions)),
            np.concatenate((self.labels, other.labels)),
            np.concatenate((self.counts, other.counts)),
        )

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.counts.sum())

    @cached_property
    def labelled(self) -> "BinaryRows":
        """The rows whose label is known."""
        return self.where(self.labels != MISSING)

    @cached_property
    def scored(self) -> "BinaryRows":
        """The rows that have a score."""
        return self.where(~np.isnan(self.scores))

    @cached_property
    def predicted(self) -> "BinaryRows":
        """The rows that have a prediction."""
        return self.where(self.predictions != MISSING)

    def where(self, mask: BoolArray) -> "BinaryRows":
        """Return the selected counts."""
        if mask.all():
            return self
        return BinaryRows(self.scores[mask], self.predictions[mask], self.labels[mask], self.counts[mask])


def _counted(scores: FloatArray, predictions: IntArray, labels: IntArray, counts: IntArray) -> BinaryRows:
    """Return the rows sorted, with the counts of equal rows added up."""
    order = np.argsort(scores)
    ascending = scores[order]
    if np.all(ascending[1:] > ascending[:-1]):  # all scores are distinct; sorting by kind too would take twice as long
        return BinaryRows(ascending, predictions[order], labels[order], counts[order])
    kinds = predictions * 3 + labels
    order = np.lexsort((kinds, scores))
    scores, kinds = scores[order], kinds[order]
    first = np.ones(len(scores), dtype=bool)
    first[1:] = (np.diff(kinds) != 0) | ~((scores[1:] == scores[:-1]) | np.isnan(scores[:-1]))
    firsts = np.flatnonzero(first)
    sums = np.add.reduceat(counts[order], firsts) if len(firsts) else counts
    return BinaryRows(scores[firsts], kinds[firsts] // 3, kinds[firsts] % 3, sums)


def zeros_and_ones(column: "pd.Series[Any]") -> FloatArray:
    """Return predictions or labels as 0, 1 or NaN if missing; raises InvalidInput for other values."""
    raw = as_floats(column)
    invalid = raw[~np.isnan(raw) & (raw != 0) & (raw != 1)]
    if len(invalid):
        msg = (
            f"column {column.name!r} must hold 0, 1 or nothing; {len(invalid)} rows hold others, such as {invalid[0]:g}"
        )
        raise InvalidInput(msg)
    return raw


def _binary(column: "pd.Series[Any]") -> IntArray:
    raw = zeros_and_ones(column)
    return np.where(np.isnan(raw), MISSING, raw).astype(np.int64)
