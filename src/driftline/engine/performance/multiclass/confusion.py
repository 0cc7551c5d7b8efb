"""Counts of true class by predicted class, and the metrics that follow from them. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from driftline.engine.columns import FloatArray
from driftline.engine.performance.multiclass.rows import Rows
from driftline.engine.results import Metric


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """Rows by true class (first axis) and predicted class: counted, or as expected under probabilities."""

    cells: FloatArray

    @classmethod
    def counted(cls, rows: Rows) -> "Confusion":
        """Count rows that have a label and a prediction."""
        classes = rows.scores.shape[1]
        places = rows.labels * classes + rows.predictions
        cells = np.bincount(places, weights=rows.counts, minlength=classes * classes)
        return cls(cells.astype(np.float64).reshape(classes, classes))

    @classmethod
    def expected(cls, rows: Rows, probabilities: FloatArray) -> "Confusion":
        """Expect rows that have a prediction to be of each class with its probability, (rows, classes)."""
        classes = probabilities.shape[1]
        weighted = probabilities * rows.counts[:, np.newaxis]
        cells = [np.bincount(rows.predictions, weights=column, minlength=classes) for column in weighted.T]
        return cls(np.array(cells))

    @property
    def rows(self) -> float:
        """How many rows there are."""
        return float(self.cells.sum())

    @property
    def hits(self) -> FloatArray:
        """The rows of each class that were predicted as it."""
        return np.diagonal(self.cells)

    @property
    def truths(self) -> FloatArray:
        """The rows of each class."""
        return np.asarray(self.cells.sum(axis=1))

    @property
    def claims(self) -> FloatArray:
        """The rows predicted as each class."""
        return np.asarray(self.cells.sum(axis=0))


def f1(found: Confusion) -> FloatArray:
    """Return each class's harmonic mean of precision and recall; NaN where it neither is nor was claimed."""
    return _ratio(2 * found.hits, found.truths + found.claims)


def precision(found: Confusion) -> FloatArray:
    """Return the share of right claims of each class; NaN where it was never predicted."""
    return _ratio(found.hits, found.claims)


def recall(found: Confusion) -> FloatArray:
    """Return the share of each class that was found; NaN where it has no rows."""
    return _ratio(found.hits, found.truths)


def specificity(found: Confusion) -> FloatArray:
    """Return for each class the share of other rows that were not taken for it; NaN where there are no others."""
    others = found.rows - found.truths
    return _ratio(others - (found.claims - found.hits), others)


def accuracy(found: Confusion) -> FloatArray:
    """Return the share of right predictions, over all classes; NaN without rows."""
    return _ratio(np.array([found.hits.sum()]), np.array([found.rows]))


def _ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    ratio: FloatArray = np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
    return ratio


BY_CLASS: dict[Metric, Callable[[Confusion], FloatArray]] = {
    Metric.F1: f1,
    Metric.PRECISION: precision,
    Metric.RECALL: recall,
    Metric.SPECIFICITY: specificity,
    Metric.ACCURACY: accuracy,
}
"""The metrics that follow from counts alone; the metric is the mean over the classes (macro)."""


def cell_name(truth: str, prediction: str) -> str:
    """Name the count of rows of class `truth` that were predicted as `prediction`."""
    return f"{Metric.CONFUSION_MATRIX}:{truth}:{prediction}"


def cell_names(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Name all cells, row by row."""
    return tuple(cell_name(truth, prediction) for truth in classes for prediction in classes)
