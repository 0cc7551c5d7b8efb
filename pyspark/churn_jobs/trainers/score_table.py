"""Counts of labelled rows by score, of limited size, and the metrics computed from them. No I/O here."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

STEP = 1e-4
"""Scores are counted in bins of this width: 10,001 bins at most."""


@dataclass(frozen=True, slots=True, eq=False)
class ScoreTable:
    """Labelled rows counted by score: `bins` (score / STEP, rounded) ascending, `rows` and `positives` of each."""

    bins: Counts
    rows: Counts
    positives: Counts

    @classmethod
    def of(cls, bins: npt.ArrayLike, rows: npt.ArrayLike, positives: npt.ArrayLike) -> "ScoreTable":
        """Make a table from three columns in any order of the bins."""
        columns = [np.asarray(column, dtype=np.int64) for column in (bins, rows, positives)]
        order = np.argsort(columns[0])
        return cls(*(column[order] for column in columns))

    @property
    def scores(self) -> Floats:
        """The middle of each bin."""
        return self.bins.astype(np.float64) * STEP

    @property
    def total(self) -> int:
        """The number of rows."""
        return int(self.rows.sum())

    @property
    def churned(self) -> int:
        """The number of rows with label 1."""
        return int(self.positives.sum())

    @property
    def has_both_classes(self) -> bool:
        """Whether there are rows of label 0 and of label 1."""
        return 0 < self.churned < self.total

    def roc_auc(self) -> float | None:
        """Return the chance that a row of label 1 scores above one of label 0, ties by half; None without both classes.

        Source: the Mann-Whitney form of the area under the ROC curve.
        """
        if not self.has_both_classes:
            return None
        negatives = self.rows - self.positives
        below = np.cumsum(negatives) - negatives
        wins = float(np.sum(self.positives * (below + negatives / 2)))
        return wins / (self.churned * (self.total - self.churned))

    def f1_from(self) -> Floats:
        """Return, for each bin, F1 of predicting 1 from that bin on; 0 without true positives."""
        called, right = (np.cumsum(column[::-1])[::-1] for column in (self.rows, self.positives))
        result: Floats = 2 * right / np.maximum(called + self.churned, 1)
        return result

    def accuracy_from(self) -> Floats:
        """Return, for each bin, the accuracy of predicting 1 from that bin on."""
        called, right = (np.cumsum(column[::-1])[::-1] for column in (self.rows, self.positives))
        wrong = (called - right) + (self.churned - right)
        result: Floats = 1 - wrong / max(self.total, 1)
        return result
