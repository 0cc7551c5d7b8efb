"""The confusion matrix of a multiclass model and the metrics of it. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from driftline.engine.frames.columns import FloatArray
from driftline.engine.performance.multiclass.rows import MulticlassRows
from driftline.engine.results import Metric


@dataclass(frozen=True, slots=True, eq=False)
class MulticlassConfusion:
    """Rows by actual class (first axis) and predicted class: counted, or expected under probabilities."""

    cells: FloatArray

    @classmethod
    def counted(cls, rows: MulticlassRows) -> "MulticlassConfusion":
        """Count rows that have a label and a prediction."""
        classes = rows.scores.shape[1]
        codes = rows.labels * classes + rows.predictions
        cells = np.bincount(codes, weights=rows.counts, minlength=classes * classes)
        return cls(cells.astype(np.float64).reshape(classes, classes))

    @classmethod
    def expected(cls, rows: MulticlassRows, probabilities: FloatArray) -> "MulticlassConfusion":
        """Return the expected counts of rows with a prediction, given each class's probability, (rows, classes)."""
        classes = probabilities.shape[1]
        weighted = probabilities * rows.counts[:, np.newaxis]
        cells = [np.bincount(rows.predictions, weights=column, minlength=classes) for column in weighted.T]
        return cls(np.array(cells))

    @property
    def rows(self) -> float:
        """The number of rows."""
        return float(self.cells.sum())

    @property
    def hits(self) -> FloatArray:
        """The correctly predicted rows of each class."""
        return np.diagonal(self.cells)

    @property
    def actual_counts(self) -> FloatArray:
        """The rows of each actual class."""
        return np.asarray(self.cells.sum(axis=1))

    @property
    def predicted_counts(self) -> FloatArray:
        """The rows of each predicted class."""
        return np.asarray(self.cells.sum(axis=0))


def f1(matrix: MulticlassConfusion) -> FloatArray:
    """Return each class's harmonic mean of precision and recall; NaN for a class without rows and predictions."""
    return _ratio(2 * matrix.hits, matrix.actual_counts + matrix.predicted_counts)


def precision(matrix: MulticlassConfusion) -> FloatArray:
    """Return the share of correct predictions of each class; NaN if it was never predicted."""
    return _ratio(matrix.hits, matrix.predicted_counts)


def recall(matrix: MulticlassConfusion) -> FloatArray:
    """Return the share of each class's rows that were predicted correctly; NaN if it has no rows."""
    return _ratio(matrix.hits, matrix.actual_counts)


def specificity(matrix: MulticlassConfusion) -> FloatArray:
    """Return for each class the share of other classes' rows not predicted as it; NaN if there are none."""
    negatives = matrix.rows - matrix.actual_counts
    return _ratio(negatives - (matrix.predicted_counts - matrix.hits), negatives)


def accuracy(matrix: MulticlassConfusion) -> FloatArray:
    """Return the share of correct predictions over all classes; NaN without rows."""
    return _ratio(np.array([matrix.hits.sum()]), np.array([matrix.rows]))


def _ratio(part: FloatArray, total: FloatArray) -> FloatArray:
    ratio: FloatArray = np.divide(part, total, out=np.full(len(total), np.nan), where=total > 0)
    return ratio


BY_CLASS: dict[Metric, Callable[[MulticlassConfusion], FloatArray]] = {
    Metric.F1: f1,
    Metric.PRECISION: precision,
    Metric.RECALL: recall,
    Metric.SPECIFICITY: specificity,
    Metric.ACCURACY: accuracy,
}
"""The metrics that depend on the confusion matrix only; the metric is the mean over the classes (macro)."""


def cell_name(truth: str, prediction: str) -> str:
    """Return the name of the count of rows of class `truth` predicted as `prediction`."""
    return f"{Metric.CONFUSION_MATRIX}:{truth}:{prediction}"


def cell_names(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of all cells, row by row."""
    return tuple(cell_name(truth, prediction) for truth in classes for prediction in classes)
