"""A chunk's rows counted by score, prediction and label: all that performance is computed from. No I/O here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.columns import BoolArray, FloatArray, IntArray, as_floats
from driftline.engine.results import LABEL, PREDICTION, SCORE
from driftline.errors import InvalidInput

UNKNOWN = 2
"""Stands for a prediction or a label that is missing, beside 0 and 1."""


@dataclass(frozen=True, eq=False)
class Scores:
    """Rows with equal score, prediction and label, counted; ascending by score, rows without a score last (NaN).

    `predictions` and `labels` are 0, 1 or UNKNOWN. An infinite score counts as missing. Merges exactly.
    """

    scores: FloatArray
    predictions: IntArray
    labels: IntArray
    counts: IntArray

    @classmethod
    def of(cls, frame: pd.DataFrame) -> "Scores":
        """Count the rows of a chunk; predictions and labels other than 0, 1 or missing are an InvalidInput."""
        scores = as_floats(frame[SCORE])
        scores = np.where(np.isfinite(scores), scores, np.nan)
        return _counted(scores, _binary(frame[PREDICTION]), _binary(frame[LABEL]), np.ones(len(frame), dtype=np.int64))

    def merge(self, other: "Scores") -> "Scores":
        """Count the rows of two parts of a chunk."""
        return _counted(
            np.concatenate((self.scores, other.scores)),
            np.concatenate((self.predictions, other.predictions)),
            np.concatenate((self.labels, other.labels)),
            np.concatenate((self.counts, other.counts)),
        )

    @cached_property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.counts.sum())

    @cached_property
    def labelled(self) -> "Scores":
        """The rows whose label is known."""
        return self.where(self.labels != UNKNOWN)

    @cached_property
    def scored(self) -> "Scores":
        """The rows that have a score."""
        return self.where(~np.isnan(self.scores))

    @cached_property
    def predicted(self) -> "Scores":
        """The rows that have a prediction."""
        return self.where(self.predictions != UNKNOWN)

    def where(self, mask: BoolArray) -> "Scores":
        """Keep some of the counted kinds of rows."""
        if mask.all():
            return self
        return Scores(self.scores[mask], self.predictions[mask], self.labels[mask], self.counts[mask])


def _counted(scores: FloatArray, predictions: IntArray, labels: IntArray, counts: IntArray) -> Scores:
    order = np.argsort(scores)
    ascending = scores[order]
    if np.all(ascending[1:] > ascending[:-1]):  # no two are equal, and ordering by kind too would take twice as long
        return Scores(ascending, predictions[order], labels[order], counts[order])
    kinds = predictions * 3 + labels
    order = np.lexsort((kinds, scores))
    scores, kinds = scores[order], kinds[order]
    first = np.ones(len(scores), dtype=bool)
    first[1:] = (np.diff(kinds) != 0) | ~((scores[1:] == scores[:-1]) | np.isnan(scores[:-1]))
    firsts = np.flatnonzero(first)
    sums = np.add.reduceat(counts[order], firsts) if len(firsts) else counts
    return Scores(scores[firsts], kinds[firsts] // 3, kinds[firsts] % 3, sums)


def zeros_and_ones(column: "pd.Series[Any]") -> FloatArray:
    """Return predictions or labels as 0, 1 or NaN where one is missing; anything else is an InvalidInput."""
    raw = as_floats(column)
    known = ~np.isnan(raw)
    wrong = raw[known & (raw != 0) & (raw != 1)]
    if len(wrong):
        msg = f"column {column.name!r} must hold 0, 1 or nothing; {len(wrong)} rows hold others, such as {wrong[0]:g}"
        raise InvalidInput(msg)
    return raw


def _binary(column: "pd.Series[Any]") -> IntArray:
    raw = zeros_and_ones(column)
    return np.where(np.isnan(raw), UNKNOWN, raw).astype(np.int64)
