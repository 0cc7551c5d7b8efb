"""A chunk's rows counted by scores, prediction and label: all that performance is computed from. No I/O here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.columns import BoolArray, FloatArray, IntArray, as_floats, category
from driftline.engine.results import LABEL, PREDICTION
from driftline.engine.spec import ModelSpec
from driftline.errors import InvalidInput

UNKNOWN = -1
"""Stands for a prediction or a label that is missing, beside the positions of the classes."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with equal scores, prediction and label, counted, in one order whatever order they came in.

    `scores` is (rows, classes); a row that lacks one of its scores, or has an infinite one, has none (NaN).
    `predictions` and `labels` are positions in the spec's classes, or UNKNOWN. Merges exactly.
    """

    scores: FloatArray
    predictions: IntArray
    labels: IntArray
    counts: IntArray

    @classmethod
    def of(cls, frame: pd.DataFrame, spec: ModelSpec) -> "Rows":
        """Count the rows of a chunk; a prediction or a label that is none of the spec's classes is an InvalidInput."""
        read = cls.read(frame, spec)
        return _counted(read.scores, read.predictions, read.labels, read.counts)

    @classmethod
    def read(cls, frame: pd.DataFrame, spec: ModelSpec) -> "Rows":
        """Read the rows of a frame one by one, in their given order."""
        scores = np.column_stack([as_floats(frame[name]) for name in spec.scores])
        scores[~np.isfinite(scores).all(axis=1)] = np.nan
        predictions, labels = (_positions(frame[name], spec.classes) for name in (PREDICTION, LABEL))
        return cls(scores, predictions, labels, np.ones(len(frame), dtype=np.int64))

    def merge(self, other: "Rows") -> "Rows":
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
    def labelled(self) -> "Rows":
        """The rows whose label is known."""
        return self.where(self.labels != UNKNOWN)

    @cached_property
    def scored(self) -> "Rows":
        """The rows that have all their scores."""
        return self.where(~np.isnan(self.scores[:, 0]))

    @cached_property
    def predicted(self) -> "Rows":
        """The rows that have a prediction."""
        return self.where(self.predictions != UNKNOWN)

    @cached_property
    def by_label(self) -> FloatArray:
        """How many of the rows are of each class."""
        known = self.labelled
        return np.bincount(known.labels, known.counts, self.scores.shape[1]).astype(np.float64)

    def where(self, mask: BoolArray) -> "Rows":
        """Keep some of the counted kinds of rows."""
        if mask.all():
            return self
        return Rows(self.scores[mask], self.predictions[mask], self.labels[mask], self.counts[mask])


def _counted(scores: FloatArray, predictions: IntArray, labels: IntArray, counts: IntArray) -> Rows:
    order = np.lexsort((labels, predictions, *scores.T))
    scores, predictions, labels = scores[order], predictions[order], labels[order]
    first = np.ones(len(order), dtype=bool)
    same = (scores[1:] == scores[:-1]).all(axis=1) | np.isnan(scores[1:, 0]) & np.isnan(scores[:-1, 0])
    first[1:] = ~same | (np.diff(predictions) != 0) | (np.diff(labels) != 0)
    firsts = np.flatnonzero(first)
    sums = np.add.reduceat(counts[order], firsts) if len(firsts) else counts
    return Rows(scores[firsts], predictions[firsts], labels[firsts], sums)


def _positions(column: "pd.Series[Any]", classes: tuple[str, ...]) -> IntArray:
    """Return the position of each row's class, UNKNOWN where it is missing."""
    codes, uniques = pd.factorize(column.to_numpy())
    texts = [category(unique) for unique in uniques.tolist()]
    foreign = sorted(set(texts) - set(classes))
    if foreign:
        msg = (
            f"column {column.name!r} holds classes that the spec does not know: {', '.join(foreign[:5])}; it knows "
            f"{', '.join(classes)}"
        )
        raise InvalidInput(msg)
    return np.array([*(classes.index(text) for text in texts), UNKNOWN], dtype=np.int64)[codes]
