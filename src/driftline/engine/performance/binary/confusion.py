"""A binary model's confusion matrix, counted or expected, and the metrics that need nothing else. No I/O here."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.engine.columns import FloatArray
from driftline.engine.performance.binary.scores import Scores
from driftline.engine.spec import BusinessValue


@dataclass(frozen=True, slots=True)
class Confusion:
    """Rows by what was predicted and what came true, in rows: whole numbers where counted, any where expected."""

    true_positives: float
    false_positives: float
    true_negatives: float
    false_negatives: float

    @classmethod
    def of(cls, rows: Scores) -> Self:
        """Count `rows`, which are labelled and predicted."""
        return cls._summed(rows, (rows.labels == 1).astype(np.float64))

    @classmethod
    def expected(cls, rows: Scores, probabilities: FloatArray) -> Self:
        """Count `rows`, which are predicted, as expected where each is of class 1 with its probability."""
        return cls._summed(rows, probabilities)

    @classmethod
    def _summed(cls, rows: Scores, probabilities: FloatArray) -> Self:
        claimed = rows.predictions * rows.counts.astype(np.float64)
        claims, all_positives = float(claimed.sum()), float(np.sum(probabilities * rows.counts))
        hits = min(float(np.sum(probabilities * claimed)), claims)
        missed = max(all_positives - hits, 0.0)
        return cls(hits, claims - hits, max(rows.rows - claims - missed, 0.0), missed)

    @property
    def rows(self) -> float:
        """How many rows there are."""
        return self.true_positives + self.false_positives + self.true_negatives + self.false_negatives

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall; 0 where nothing is found though there is something to find.

        None where there is nothing to find and nothing was claimed.
        """
        return _share(self.true_positives, self.true_positives + (self.false_positives + self.false_negatives) / 2)

    @property
    def accuracy(self) -> float | None:
        """The share of right predictions. None without rows."""
        return _share(self.true_positives + self.true_negatives, self.rows)

    @property
    def precision(self) -> float | None:
        """The share of class 1 among what was claimed to be so. None where nothing was claimed."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """The share of class 1 that was found. None where there is nothing to find."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def specificity(self) -> float | None:
        """The share of class 0 that was left alone. None where there is no class 0."""
        return _share(self.true_negatives, self.true_negatives + self.false_positives)

    def worth(self, value: BusinessValue) -> float | None:
        """What the predictions are worth, in the unit of `value`: in all, or on average where it says per prediction.

        None for an average without rows. The total is NannyML 0.13.1's; its average is of another kind, since it
        divides by the rows of each predicted class apart.
        """
        total = (
            value.true_positive * self.true_positives
            + value.false_positive * self.false_positives
            + value.true_negative * self.true_negatives
            + value.false_negative * self.false_negatives
        )
        return _share(total, self.rows) if value.per_prediction else total


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
