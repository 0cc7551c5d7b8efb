"""The rows of a chunk, counted by scores, prediction and label: the summary for performance. No I/O here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray, as_floats, coded
from driftline.engine.results import LABEL, PREDICTION
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput

MISSING = -1
"""The code of a missing prediction or label, beside the positions of the classes."""

UnknownClasses = frozenset[tuple[str, str]]
"""Pairs of a column and a class in it that the spec does not list."""


@dataclass(frozen=True, eq=False)
class MulticlassRows:
    """Counts of rows with equal scores, prediction and label, in a sorted order.

    `scores` is (rows, classes); all scores of a row are NaN if one is missing or infinite. `predictions` and `labels`
    are positions in the spec's classes, or MISSING. `unknown_classes` are classes that the spec does not list, with
    their column; such a value counts as missing. Merges exactly.
    """

    scores: FloatArray
    predictions: IntArray
    labels: IntArray
    counts: IntArray
    unknown_classes: UnknownClasses = frozenset()

    @classmethod
    def of(cls, frame: pd.DataFrame, spec: Spec) -> "MulticlassRows":
        """Count the rows of a chunk."""
        return _counted(cls._read_frame(frame, spec))

    @classmethod
    def read(cls, frame: pd.DataFrame, spec: Spec) -> "MulticlassRows":
        """Read the single rows of the reference in their given order; raises InvalidInput for an unknown class."""
        rows = cls._read_frame(frame, spec)
        if rows.unknown_classes:
            raise InvalidInput(
                f"{describe_unknown_classes(rows.unknown_classes)}; its classes are {', '.join(spec.classes)}"
            )
        return rows

    @classmethod
    def _read_frame(cls, frame: pd.DataFrame, spec: Spec) -> "MulticlassRows":
        scores = np.column_stack([as_floats(frame[name]) for name in spec.scores])
        scores[~np.isfinite(scores).all(axis=1)] = np.nan
        predictions, unknown_predictions = _positions(frame[PREDICTION], spec.classes)
        labels, unknown_labels = _positions(frame[LABEL], spec.classes)
        return cls(
            scores, predictions, labels, np.ones(len(frame), dtype=np.int64), unknown_predictions | unknown_labels
        )

    def merge(self, other: "MulticlassRows") -> "MulticlassRows":
        """Merge the counts of two parts of a chunk."""
        rows = MulticlassRows(
            np.concatenate((self.scores, other.scores)),
            np.concatenate((self.predictions, other.predictions)),
            np.concatenate((self.labels, other.labels)),
            np.concatenate((self.counts, other.counts)),
            self.unknown_classes | other.unknown_classes,
        )
        return _counted(rows)

    @cached_property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.counts.sum())

    @cached_property
    def labelled(self) -> "MulticlassRows":
        """The rows whose label is known."""
        return self.where(self.labels != MISSING)

    @cached_property
    def scored(self) -> "MulticlassRows":
        """The rows that have all their scores."""
        return self.where(~np.isnan(self.scores[:, 0]))

    @cached_property
    def predicted(self) -> "MulticlassRows":
        """The rows that have a prediction."""
        return self.where(self.predictions != MISSING)

    @cached_property
    def by_label(self) -> FloatArray:
        """The number of rows of each class."""
        labelled = self.labelled
        return np.bincount(labelled.labels, labelled.counts, self.scores.shape[1]).astype(np.float64)

    def where(self, mask: BoolArray) -> "MulticlassRows":
        """Return the selected counts."""
        if mask.all():
            return self
        return MulticlassRows(
            self.scores[mask], self.predictions[mask], self.labels[mask], self.counts[mask], self.unknown_classes
        )


def _counted(rows: MulticlassRows) -> MulticlassRows:
    """Return the rows sorted, with the counts of equal rows added up."""
    scores, predictions, labels, counts = rows.scores, rows.predictions, rows.labels, rows.counts
    order = np.lexsort((labels, predictions, *scores.T))
    scores, predictions, labels = scores[order], predictions[order], labels[order]
    first = np.ones(len(order), dtype=bool)
    same = (scores[1:] == scores[:-1]).all(axis=1) | np.isnan(scores[1:, 0]) & np.isnan(scores[:-1, 0])
    first[1:] = ~same | (np.diff(predictions) != 0) | (np.diff(labels) != 0)
    firsts = np.flatnonzero(first)
    sums = np.add.reduceat(counts[order], firsts) if len(firsts) else counts
    return MulticlassRows(scores[firsts], predictions[firsts], labels[firsts], sums, rows.unknown_classes)


def _positions(column: "pd.Series[Any]", classes: tuple[str, ...]) -> tuple[IntArray, UnknownClasses]:
    """Return the position of each row's class, MISSING if missing or unknown, and the unknown classes."""
    codes, texts = coded(column)
    positions = {name: position for position, name in enumerate(classes)}
    by_code = np.array([*(positions.get(text, MISSING) for text in texts), MISSING], dtype=np.int64)
    present = (texts[code] for code in np.unique(codes[codes >= 0]))
    return by_code[codes], frozenset((str(column.name), text) for text in present if text not in positions)


def describe_unknown_classes(unknown_classes: UnknownClasses) -> str:
    """Return a message with the unknown classes of each column, at most five per column."""
    by_column: dict[str, list[str]] = {}
    for column, name in sorted(unknown_classes):
        by_column.setdefault(column, []).append(name)
    parts = (f"column {column!r} holds {', '.join(names[:5])}" for column, names in by_column.items())
    return f"{' and '.join(parts)}: classes that the spec does not list"
