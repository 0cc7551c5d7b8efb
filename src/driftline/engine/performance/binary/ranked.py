"""Rows of both classes by score, and the metrics that depend on nothing else. No I/O here."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.performance import ranks
from driftline.engine.performance.binary.rows import BinaryRows
from driftline.engine.performance.scores import are_probabilities

_EPSILON = float(np.finfo(np.float64).eps)
"""Probabilities are clipped to this distance from 0 and 1, as in scikit-learn's log_loss."""


@dataclass(frozen=True, eq=False)
class RankedRows:
    """For each distinct score, ascending, the number of rows of class 1 and of class 0, counted or expected."""

    scores: FloatArray
    positives: FloatArray
    negatives: FloatArray

    @classmethod
    def of(cls, rows: BinaryRows) -> "RankedRows":
        """Count `rows`, which have a score and a label."""
        positives: FloatArray = (rows.labels == 1) * rows.counts.astype(np.float64)
        return group_by_score(rows.scores, positives, rows.counts - positives)

    @classmethod
    def expected(cls, rows: BinaryRows, probabilities: FloatArray) -> "RankedRows":
        """Return the expected counts of `rows`, which have a score, given each row's probability of class 1."""
        positives = probabilities * rows.counts
        return group_by_score(rows.scores, positives, rows.counts - positives)

    @cached_property
    def rows(self) -> float:
        """The number of rows."""
        return float(self.positives.sum() + self.negatives.sum())

    @property
    def has_probabilities(self) -> bool:
        """Whether every score is from 0 to 1."""
        return are_probabilities(self.scores)


def group_by_score(scores: FloatArray, positives: FloatArray, negatives: FloatArray) -> RankedRows:
    """Add up the rows with the same score; `scores` are ascending."""
    return RankedRows(*ranks.sum_by_score(scores, positives, negatives))


def roc_auc(rows: RankedRows) -> float | None:
    """Return the exact ROC AUC; None if a class has no rows."""
    return ranks.roc_auc(rows.positives, rows.negatives)


def average_precision(rows: RankedRows) -> float | None:
    """Return the mean, over rows of class 1, of the precision among rows of at least the same score. Exact.

    As scikit-learn's average_precision_score. None without rows of class 1.
    """
    positives = rows.positives[::-1]
    true_positives = np.cumsum(positives)
    if not len(true_positives) or not true_positives[-1]:
        return None
    predicted = true_positives + np.cumsum(rows.negatives[::-1])
    return float(np.sum(positives * true_positives / predicted) / true_positives[-1])


def log_loss(rows: RankedRows) -> float | None:
    """Return the mean of -log(probability of the actual class), in nats; probabilities are clipped by 2.2e-16.

    None without rows, or if a score is not a probability.
    """
    return _mean(rows, *log_losses(rows.scores)) if rows.has_probabilities else None


def brier(rows: RankedRows) -> float | None:
    """Return the mean squared difference of score and label.

    None without rows, or if a score is not a probability.
    """
    return _mean(rows, *brier_losses(rows.scores)) if rows.has_probabilities else None


def log_losses(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the log loss of each score if the label is 1, and if it is 0."""
    return -np.log(np.clip(scores, _EPSILON, 1)), -np.log(np.clip(1 - scores, _EPSILON, 1))


def brier_losses(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the squared error of each score if the label is 1, and if it is 0."""
    return (1 - scores) ** 2, scores**2


def _mean(rows: RankedRows, if_positive: FloatArray, if_negative: FloatArray) -> float | None:
    if not rows.rows:
        return None
    return float(np.sum(rows.positives * if_positive + rows.negatives * if_negative)) / rows.rows


def calibration_error(rows: RankedRows, edges: IntArray) -> float | None:
    """Return the expected calibration error: the mean gap of score and share of class 1 over bins of rows by rank.

    sum over bins of (rows of bin / rows) * |mean score of bin - share of class 1 in bin|. `edges` are the ranks at
    which bins begin and end (`calibration.bin_edges`). Where an edge divides rows of equal score, both bins get their
    proportional share of labels. None without bins, or if a score is not a probability.
    """
    if len(edges) < 2 or not rows.has_probabilities:
        return None
    counts = rows.positives + rows.negatives
    row_ranks = _from_zero(counts)
    gaps = _from_zero(counts * rows.scores - rows.positives)
    return float(np.sum(np.abs(np.diff(np.interp(edges, row_ranks, gaps))))) / rows.rows


def _from_zero(values: FloatArray) -> FloatArray:
    return np.concatenate(([0.0], np.cumsum(values)))
