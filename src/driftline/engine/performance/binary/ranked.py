"""Rows of both classes by score, and the metrics of a score that need nothing else. No I/O here."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.performance import ranks
from driftline.engine.performance.binary.scores import Scores

_EPSILON = float(np.finfo(np.float64).eps)
"""A probability is taken to be at least this far from 0 and 1, as scikit-learn's log_loss does."""


@dataclass(frozen=True, eq=False)
class Ranked:
    """For each distinct score, ascending, how many rows are of class 1 and of class 0, counted or as expected."""

    scores: FloatArray
    positives: FloatArray
    negatives: FloatArray

    @classmethod
    def of(cls, rows: Scores) -> "Ranked":
        """Count `rows`, which are scored and labelled."""
        positives: FloatArray = (rows.labels == 1) * rows.counts.astype(np.float64)
        return grouped(rows.scores, positives, rows.counts - positives)

    @classmethod
    def expected(cls, rows: Scores, probabilities: FloatArray) -> "Ranked":
        """Count `rows`, which are scored, as expected where each is of class 1 with its probability."""
        positives = probabilities * rows.counts
        return grouped(rows.scores, positives, rows.counts - positives)

    @cached_property
    def rows(self) -> float:
        """How many rows there are."""
        return float(self.positives.sum() + self.negatives.sum())

    @property
    def probabilities(self) -> bool:
        """Whether every score is one that a probability can have."""
        return not len(self.scores) or bool(self.scores[0] >= 0 and self.scores[-1] <= 1)


def grouped(scores: FloatArray, positives: FloatArray, negatives: FloatArray) -> Ranked:
    """Add up what has the same score; `scores` are ascending."""
    return Ranked(*ranks.sum_by_score(scores, positives, negatives))


def roc_auc(rows: Ranked) -> float | None:
    """Return the share of (positive, negative) pairs that the score orders rightly; ties count half. Exact.

    None where a class has no rows.
    """
    return ranks.roc_auc(rows.positives, rows.negatives)


def average_precision(rows: Ranked) -> float | None:
    """Return the mean, over the rows of class 1, of the precision down to their score, ties included. Exact.

    As scikit-learn's average_precision_score. None where there is no row of class 1.
    """
    positives = rows.positives[::-1]
    hits = np.cumsum(positives)
    if not len(hits) or not hits[-1]:
        return None
    claims = hits + np.cumsum(rows.negatives[::-1])
    return float(np.sum(positives * hits / claims) / hits[-1])


def log_loss(rows: Ranked) -> float | None:
    """Return the mean of -log(probability given to what came true), in nats; 0 and 1 are taken 2.2e-16 apart.

    None without rows, or where a score is no probability.
    """
    return _mean(rows, *log_losses(rows.scores)) if rows.probabilities else None


def brier(rows: Ranked) -> float | None:
    """Return the mean squared difference of score and label.

    None without rows, or where a score is no probability.
    """
    return _mean(rows, *brier_losses(rows.scores)) if rows.probabilities else None


def log_losses(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what each score loses where the label is 1, and where it is 0: its log loss."""
    return -np.log(np.clip(scores, _EPSILON, 1)), -np.log(np.clip(1 - scores, _EPSILON, 1))


def brier_losses(scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what each score loses where the label is 1, and where it is 0: its Brier score."""
    return (1 - scores) ** 2, scores**2


def _mean(rows: Ranked, if_positive: FloatArray, if_negative: FloatArray) -> float | None:
    if not rows.rows:
        return None
    return float(np.sum(rows.positives * if_positive + rows.negatives * if_negative)) / rows.rows


def calibration_error(rows: Ranked, edges: IntArray) -> float | None:
    """Return the expected calibration error: the mean gap of score and share of class 1 over bins of rows by rank.

    sum over bins of (rows of bin / rows) * |mean score of bin - share of class 1 in bin|. `edges` are the ranks at
    which bins begin and end (`calibration.bin_edges`). Rows of equal score that an edge parts are alike, so each side
    gets its share of their labels. None without bins, or where a score is no probability.
    """
    if len(edges) < 2 or not rows.probabilities:
        return None
    counts = rows.positives + rows.negatives
    row_ranks = _from_zero(counts)
    gaps = _from_zero(counts * rows.scores - rows.positives)
    return float(np.sum(np.abs(np.diff(np.interp(edges, row_ranks, gaps))))) / rows.rows


def _from_zero(values: FloatArray) -> FloatArray:
    return np.concatenate(([0.0], np.cumsum(values)))
