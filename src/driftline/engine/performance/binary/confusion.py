"""The confusion matrix of a binary model, counted or expected, and the metrics of it. No I/O here."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.engine.frames.columns import FloatArray
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.spec import BusinessValue


@dataclass(frozen=True, slots=True)
class BinaryConfusion:
    """Rows by prediction and label: integers where counted, real numbers where expected."""

    true_positives: float
    false_positives: float
    true_negatives: float
    false_negatives: float

    @classmethod
    def of(cls, rows: BinaryRows) -> Self:
        """Count `rows`, which have a label and a prediction."""
        return cls._sum(rows, (rows.labels == 1).astype(np.float64))

    @classmethod
    def expected(cls, rows: BinaryRows, probabilities: FloatArray) -> Self:
        """Return the expected counts of `rows`, which have a prediction, given each row's probability of class 1."""
        return cls._sum(rows, probabilities)

    @classmethod
    def _sum(cls, rows: BinaryRows, probabilities: FloatArray) -> Self:
        counts = rows.predictions * rows.counts.astype(np.float64)
        predicted, positives = float(counts.sum()), float(np.sum(probabilities * rows.counts))
        true_positives = min(float(np.sum(probabilities * counts)), predicted)
        false_negatives = max(positives - true_positives, 0.0)
        true_negatives = max(rows.rows - predicted - false_negatives, 0.0)
        return cls(true_positives, predicted - true_positives, true_negatives, false_negatives)

    @property
    def rows(self) -> float:
        """The number of rows."""
        return self.true_positives + self.false_positives + self.true_negatives + self.false_negatives

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall; 0 without true positives.

        None if neither a label nor a prediction is 1.
        """
        return _ratio(self.true_positives, self.true_positives + (self.false_positives + self.false_negatives) / 2)

    @property
    def accuracy(self) -> float | None:
        """The share of correct predictions. None without rows."""
        return _ratio(self.true_positives + self.true_negatives, self.rows)

    @property
    def precision(self) -> float | None:
        """The share of class 1 among the rows predicted as class 1. None if there are no such rows."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """The share of the rows of class 1 that were predicted as class 1. None without rows of class 1."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float | None:
        """The share of the rows of class 0 that were predicted as class 0. None without rows of class 0."""
        return _ratio(self.true_negatives, self.true_negatives + self.false_positives)

    def business_value(self, value: BusinessValue) -> float | None:
        """The total business value of the predictions in the unit of `value`, or their mean if it is per prediction.

        None for a mean without rows. The total equals that of NannyML 0.13.1; its mean differs, since it divides by the
        rows of each predicted class separately.
        """
        total = (
            value.true_positive * self.true_positives
            + value.false_positive * self.false_positives
            + value.true_negative * self.true_negatives
            + value.false_negative * self.false_negatives
        )
        return _ratio(total, self.rows) if value.per_prediction else total


def _ratio(part: float, total: float) -> float | None:
    return part / total if total else None
