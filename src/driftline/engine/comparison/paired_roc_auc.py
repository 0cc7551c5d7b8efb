"""The ROC AUC of two scores of the same rows, and the error of their difference where subjects repeat. No I/O here."""

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from driftline.engine.frames.columns import FloatArray
from driftline.errors import InvalidInput

Codes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class PairedRocAuc:
    """The ROC AUC of a first and a second score, with standard errors.

    `rows`, `positives` and `subjects` count what was compared; `difference_error` is the standard error of
    `difference`, the second less the first.
    """

    first: float
    second: float
    first_error: float
    second_error: float
    difference_error: float
    rows: int
    positives: int
    subjects: int

    @property
    def difference(self) -> float:
        """The second ROC AUC less the first."""
        return self.second - self.first

    def lower(self, errors: float) -> float:
        """Return the lower confidence bound of the difference, so many standard errors below it."""
        return self.difference - errors * self.difference_error


def paired_roc_auc(labels: FloatArray, first: FloatArray, second: FloatArray, subjects: Codes) -> PairedRocAuc:
    """Compare two scores of the same rows; `labels` are 0 and 1, and `subjects` numbers whose row each is, from 0.

    The rows of one subject are not independent: a subscriber who is hard to rank is so every day. Each row's influence
    on the ROC AUC is summed by subject, and the variance is that of these sums:

        influence of a positive row i: (V_i - A) / n1, V_i the share of negatives that score below it, ties by half
        influence of a negative row j: (V_j - A) / n0, V_j the share of positives that score above it, ties by half
        variance of A: C / (C - 1) * sum over the C subjects of (sum of the subject's influences)^2

    The variance of the difference is that of the differences of the sums, so what both scores have in common cancels.

    Sources: E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Comparing the areas under two or more correlated receiver
    operating characteristic curves (Biometrics 44, 1988) for the shares V; N. A. Obuchowski, Nonparametric analysis of
    clustered ROC curve data (Biometrics 53, 1997) for their sums by cluster. One factor C / (C - 1) stands for
    Obuchowski's separate ones for clusters with positives and with negatives.

    Raises:
        InvalidInput: there is only one class, or fewer than two subjects.
    """
    positive = labels == 1
    count = int(subjects.max()) + 1 if len(subjects) else 0
    if not positive.any() or positive.all() or count < 2:
        raise InvalidInput(
            f"{len(labels):,} rows of {count:,} subjects with {int(positive.sum()):,} positives cannot be compared; "
            "rows of both classes and of two subjects or more are required."
        )
    (first_auc, first_sums), (second_auc, second_sums) = (
        _sums_by_subject(positive, score, subjects, count) for score in (first, second)
    )
    return PairedRocAuc(
        first=first_auc,
        second=second_auc,
        first_error=_error(first_sums),
        second_error=_error(second_sums),
        difference_error=_error(second_sums - first_sums),
        rows=len(labels),
        positives=int(positive.sum()),
        subjects=count,
    )


def _sums_by_subject(
    positive: npt.NDArray[np.bool_], scores: FloatArray, subjects: Codes, count: int
) -> tuple[float, FloatArray]:
    """Return the ROC AUC of a score, and each subject's sum of influences."""
    above, below = np.sort(scores[positive]), np.sort(scores[~positive])
    shares = np.empty(len(scores))
    shares[positive] = _share_below(below, scores[positive])
    shares[~positive] = 1 - _share_below(above, scores[~positive])
    auc = float(shares[positive].mean())
    influence = (shares - auc) / np.where(positive, len(above), len(below))
    sums = np.zeros(count)
    np.add.at(sums, subjects, influence)
    return auc, sums


def _share_below(ascending: FloatArray, scores: FloatArray) -> FloatArray:
    """Return the share of `ascending` that is below each score; equal ones count half."""
    ranks = np.searchsorted(ascending, scores, "left") + np.searchsorted(ascending, scores, "right")
    result: FloatArray = ranks / (2 * len(ascending))
    return result


def _error(sums: FloatArray) -> float:
    return sqrt(len(sums) / (len(sums) - 1) * float(np.sum(sums**2)))
