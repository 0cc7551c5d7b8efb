"""How far a row of the reference scatters around a metric: what standard errors are computed from. No I/O here.

The formulas are NannyML 0.13.1's (sampling_error/binary_classification.py). Rows of equal score are ranked as they
come, so the error of ROC AUC depends a little on the order of the rows. Log loss and Brier score, which NannyML lacks,
have the standard deviation of a row's loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from driftline.engine.columns import BoolArray, FloatArray, IntArray
from driftline.engine.outcome import finite
from driftline.engine.performance.binary.ranked import Ranked, average_precision, brier_losses, grouped, log_losses
from driftline.engine.performance.ranks import share_below, share_of_rarer
from driftline.engine.spec import Spec

RESAMPLES = 50
RESAMPLED_ROWS = 50_000
"""The spread of average precision is that of 50 samples of half the reference's rows, of 50,000 at most."""
SEED = 42
"""The seed of these samples: NannyML draws without one, so that its errors differ from run to run."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What one row says about a metric: its standard deviation, and the share of rows that say anything.

    `total` marks a metric that is the sum over the rows, not their mean. `overstated` is how many times the true error
    the error is.
    """

    deviation: float
    share: float = 1.0
    total: bool = False
    overstated: float = 1.0

    def error(self, rows: int) -> float | None:
        """Return the standard error of the metric over `rows` rows; None where the reference could not tell."""
        if not rows * self.share > 0:
            return None
        return finite(self.deviation / sqrt(rows * self.share) * (rows if self.total else 1))


@dataclass(frozen=True, slots=True)
class ReferenceRows:
    """Labelled rows of the reference that have what a metric needs, in the order of time.

    `scores` are NaN where a row has none. `claimed` and `positive` are whether a row was predicted to be, and was, of
    class 1.
    """

    scores: FloatArray
    claimed: BoolArray
    positive: BoolArray
    spec: Spec


def of_roc_auc(rows: ReferenceRows) -> Spread | None:
    """Return the spread of the share of rows of the other class that a row of the rarer class is ordered rightly to."""
    below = share_below(rows.scores, rows.positive)
    return None if below is None else Spread(float(np.std(below)), share_of_rarer(rows.positive))


def of_average_precision(rows: ReferenceRows) -> Spread | None:
    """Return the spread over samples drawn with replacement, times the root of their size.

    The error over n rows is that spread times sqrt(size / n). Samples without a row of class 1 are left out.
    """
    size = min(len(rows.scores) // 2, RESAMPLED_ROWS)
    random = np.random.RandomState(SEED)
    kinds = 2 * np.unique(rows.scores, return_inverse=True)[1] + rows.positive.astype(np.int64)
    drawn = [np.sort(kinds[random.choice(len(kinds), size, replace=True)]) for _ in range(RESAMPLES if size else 0)]
    found = [average_precision(_of_kinds(kind)) for kind in drawn]
    values = [value for value in found if value is not None]
    return Spread(float(np.std(values)) * sqrt(size)) if values else None


def _of_kinds(kinds: IntArray) -> Ranked:
    """Count rows by rank of score and label, which are coded as 2 * rank + label, ascending."""
    positives = (kinds & 1).astype(np.float64)
    return grouped((kinds >> 1).astype(np.float64), positives, 1 - positives)


def of_log_loss(rows: ReferenceRows) -> Spread | None:
    """Return the spread of a row's log loss."""
    return _of_losses(rows, log_losses)


def of_brier(rows: ReferenceRows) -> Spread | None:
    """Return the spread of a row's squared difference of score and label."""
    return _of_losses(rows, brier_losses)


def _of_losses(rows: ReferenceRows, losses: Callable[[FloatArray], tuple[FloatArray, FloatArray]]) -> Spread | None:
    if not len(rows.scores) or rows.scores.min() < 0 or rows.scores.max() > 1:
        return None
    return Spread(float(np.std(np.where(rows.positive, *losses(rows.scores)))))


def of_f1(rows: ReferenceRows) -> Spread | None:
    """Return the spread of being a hit among the rows that are or were predicted to be of class 1.

    Hits T and errors E are multinomial: by the delta method the error is 2 sqrt(TE(T + E)) / (2T + E)². NannyML's
    leaves out that T is in the denominator too: 2 sqrt(TE / (T + E)) / (2T + E). `overstated` is their ratio.
    """
    claimed, positive = rows.claimed, rows.positive
    hits, relevant = int(np.sum(claimed & positive)), int(np.sum(claimed | positive))
    if not relevant:
        return None
    scale = relevant / ((relevant - hits) * 0.5 + hits)
    share = hits / relevant
    return Spread(scale * sqrt(share * (1 - share)), relevant / len(positive), overstated=1 + share)


def of_share(hits: BoolArray, among: BoolArray) -> Spread | None:
    """Return the spread of a share of hits, over the rows that the metric looks at."""
    return Spread(float(np.std(hits[among])), float(np.mean(among))) if among.any() else None


def of_count(counted: BoolArray) -> Spread | None:
    """Return the spread of a number of rows."""
    return Spread(float(np.std(counted)), total=True) if len(counted) else None


def of_business_value(rows: ReferenceRows) -> Spread | None:
    """Return the spread of what one prediction is worth; None where the spec does not say it."""
    value = rows.spec.business_value
    if value is None:
        return None
    if_claimed = np.where(rows.positive, value.true_positive, value.false_positive)
    if_not = np.where(rows.positive, value.false_negative, value.true_negative)
    worth = np.where(rows.claimed, if_claimed, if_not)
    return Spread(float(np.std(worth)), total=not value.per_prediction) if len(worth) else None
