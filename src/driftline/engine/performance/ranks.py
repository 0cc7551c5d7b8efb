"""Rows ranked by their score: ROC AUC, and the spread of ranks from which its sampling error follows. No I/O here."""

from math import sqrt

import numpy as np

from driftline.engine.frames.columns import BoolArray, FloatArray


def sum_by_score(
    scores: FloatArray, positives: FloatArray, negatives: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the distinct scores and the sums of both counts over each; `scores` are ascending."""
    firsts = np.flatnonzero(np.diff(scores, prepend=np.nan) != 0)
    if len(firsts) == len(scores):
        return scores, positives, negatives
    return scores[firsts], np.add.reduceat(positives, firsts), np.add.reduceat(negatives, firsts)


def roc_auc(positives: FloatArray, negatives: FloatArray) -> float | None:
    """Return the exact ROC AUC from the rows of both classes at each distinct score, ascending; ties count half.

    It is the share of (positive, negative) pairs that the score orders correctly. None if a class has no rows.
    """
    pairs = float(positives.sum()) * float(negatives.sum())
    below = np.cumsum(negatives) - negatives / 2
    return float(np.sum(positives * below)) / pairs if pairs else None


def roc_auc_of(values: FloatArray, classes: FloatArray) -> float | None:
    """Return the ROC AUC of finite `values` for `classes` of 0 and 1, in any order; None without both classes."""
    order = np.argsort(values)  # rows of equal value are summed, so their order is irrelevant
    is_positive = (classes[order] == 1).astype(np.float64)
    _, positives, negatives = sum_by_score(values[order], is_positive, 1 - is_positive)
    return roc_auc(positives, negatives)


def chance_error(positives: int, negatives: int) -> float:
    """Return the standard error of the ROC AUC under random ranks, from the rows of both classes (Mann-Whitney)."""
    return sqrt((positives + negatives + 1) / (12 * positives * negatives))


def share_below(scores: FloatArray, positive: BoolArray) -> FloatArray | None:
    """Return, for each row of the rarer class, the share of the other class's rows that rank below it.

    If class 1 is the more frequent one, scores are mirrored (1 - score) first. ROC AUC is the mean of these shares
    (Mann-Whitney U), so their spread is its spread. Rows of equal score are ranked in their given order. None without a
    row of each class, or where no rank remains: as NannyML 0.13.1 (sampling_error/binary_classification.py), a row of
    rank 0 is left out.
    """
    if positive.all() or not positive.any():
        return None
    if positive.mean() > 0.5:
        scores, positive = 1 - scores, ~positive
    ranks = np.flatnonzero(positive[np.argsort(scores)])
    ranks = ranks[ranks > 0]  # as NannyML, so that errors stay equal to its errors
    return (ranks - np.arange(len(ranks))) / np.sum(~positive) if len(ranks) else None


def share_of_rarer(positive: BoolArray) -> float:
    """Return the share of the rows that are of the rarer class."""
    share = float(positive.mean())
    return min(share, 1 - share)
