"""A chunk's rows counted by scores, prediction and label: all that performance is computed from. No I/O here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.columns import BoolArray, FloatArray, IntArray, as_floats, coded
from driftline.engine.results import LABEL, PREDICTION
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput

UNKNOWN = -1
"""Stands for a prediction or a label that is missing, beside the positions of the classes."""

Strange = frozenset[tuple[str, str]]
"""Columns, each with a class that it holds and the spec does not know."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows with equal scores, prediction and label, counted, in one order whatever order they came in.

    `scores` is (rows, classes); a row that lacks one of its scores, or has an infinite one, has none (NaN).
    `predictions` and `labels` are positions in the spec's classes, or UNKNOWN. `strange` names the classes that the
    spec does not know, each with its column; their rows count as if it were missing. Merges exactly.
    """

    scores: FloatArray
    predictions: IntArray
    labels: IntArray
    counts: IntArray
    strange: Strange = frozenset()

    @classmethod
    def of(cls, frame: pd.DataFrame, spec: Spec) -> "Rows":
        """Count the rows of a chunk."""
        return _counted(cls._of_frame(frame, spec))

    @classmethod
    def read(cls, frame: pd.DataFrame, spec: Spec) -> "Rows":
        """Read the rows of the reference one by one, in their given order; a class that the spec does not know is an
        InvalidInput.
        """
        read = cls._of_frame(frame, spec)
        if read.strange:
            raise InvalidInput(f"{strangeness(read.strange)}; it knows {', '.join(spec.classes)}")
        return read

    @classmethod
    def _of_frame(cls, frame: pd.DataFrame, spec: Spec) -> "Rows":
        scores = np.column_stack([as_floats(frame[name]) for name in spec.scores])
        scores[~np.isfinite(scores).all(axis=1)] = np.nan
        predictions, no_predictions = _positions(frame[PREDICTION], spec.classes)
        labels, no_labels = _positions(frame[LABEL], spec.classes)
        return cls(scores, predictions, labels, np.ones(len(frame), dtype=np.int64), no_predictions | no_labels)

    def merge(self, other: "Rows") -> "Rows":
        """Count the rows of two parts of a chunk."""
        both = Rows(
            np.concatenate((self.scores, other.scores)),
            np.concatenate((self.predictions, other.predictions)),
            np.concatenate((self.labels, other.labels)),
            np.concatenate((self.counts, other.counts)),
            self.strange | other.strange,
        )
        return _counted(both)

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
        return Rows(self.scores[mask], self.predictions[mask], self.labels[mask], self.counts[mask], self.strange)


def _counted(rows: Rows) -> Rows:
    scores, predictions, labels, counts = rows.scores, rows.predictions, rows.labels, rows.counts
    order = np.lexsort((labels, predictions, *scores.T))
    scores, predictions, labels = scores[order], predictions[order], labels[order]
    first = np.ones(len(order), dtype=bool)
    same = (scores[1:] == scores[:-1]).all(axis=1) | np.isnan(scores[1:, 0]) & np.isnan(scores[:-1, 0])
    first[1:] = ~same | (np.diff(predictions) != 0) | (np.diff(labels) != 0)
    firsts = np.flatnonzero(first)
    sums = np.add.reduceat(counts[order], firsts) if len(firsts) else counts
    return Rows(scores[firsts], predictions[firsts], labels[firsts], sums, rows.strange)


def _positions(column: "pd.Series[Any]", classes: tuple[str, ...]) -> tuple[IntArray, Strange]:
    """Return the position of each row's class, UNKNOWN where it is missing or strange, and the strange ones."""
    codes, texts = coded(column)
    known = {name: place for place, name in enumerate(classes)}
    places = np.array([*(known.get(text, UNKNOWN) for text in texts), UNKNOWN], dtype=np.int64)
    present = (texts[code] for code in np.unique(codes[codes >= 0]))
    return places[codes], frozenset((str(column.name), text) for text in present if text not in known)


def strangeness(strange: Strange) -> str:
    """Say in plain words which columns hold which classes that the spec does not know, five of each at most."""
    by_column: dict[str, list[str]] = {}
    for column, name in sorted(strange):
        by_column.setdefault(column, []).append(name)
    parts = (f"column {column!r} holds {', '.join(names[:5])}" for column, names in by_column.items())
    return f"{' and '.join(parts)}: classes that the spec does not know"
