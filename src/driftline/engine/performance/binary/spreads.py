"""The spread of each metric over the reference's rows, from which standard errors are computed. No I/O here.

The formulas are those of NannyML 0.13.1 (sampling_error/binary_classification.py). Rows of equal score are ranked in
their given order, so the error of ROC AUC depends slightly on the order of the rows. Log loss and Brier score, which
NannyML lacks, have the standard deviation of a row's loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np

from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray
from driftline.engine.outcome import finite
from driftline.engine.performance.binary.ranked import (
    RankedRows,
    average_precision,
    brier_losses,
    group_by_score,
    log_losses,
)
from driftline.engine.performance.ranks import share_below, share_of_rarer
from driftline.engine.spec import Spec

RESAMPLES = 50
RESAMPLED_ROWS = 50_000
"""The spread of average precision is that of 50 samples of half the reference's rows, at most 50,000 each."""
SEED = 42
"""The seed of these samples; NannyML sets none, so its errors differ between runs."""


@dataclass(frozen=True, slots=True)
class MetricSpread:
    """The standard deviation of one row's contribution to a metric, and the share of rows that contribute.

    `total` marks a metric that is the sum over rows, not their mean. `overstated` is the ratio of the error to the true
    error.
    """

    deviation: float
    share: float = 1.0
    total: bool = False
    overstated: float = 1.0

    def error(self, rows: int) -> float | None:
        """Return the standard error of the metric over `rows` rows; None if it is undefined."""
        if not rows * self.share > 0:
            return None
        return finite(self.deviation / sqrt(rows * self.share) * (rows if self.total else 1))


@dataclass(frozen=True, slots=True)
class ReferenceRows:
    """Labelled rows of the reference that have the values a metric requires, in time order.

    `scores` are NaN where missing. `predicted_positive` and `positive` are whether the prediction and the label are 1.
    """

    scores: FloatArray
    predicted_positive: BoolArray
    positive: BoolArray
    spec: Spec


def roc_auc_spread(rows: ReferenceRows) -> MetricSpread | None:
    """Return the spread, over rows of the rarer class, of the share of the other class's rows that rank below."""
    below = share_below(rows.scores, rows.positive)
    return None if below is None else MetricSpread(float(np.std(below)), share_of_rarer(rows.positive))


def average_precision_spread(rows: ReferenceRows) -> MetricSpread | None:
    """Return the spread over samples drawn with replacement, times the square root of their size.

    The error over n rows is the spread of the samples times sqrt(size / n). Samples without class 1 are ignored.
    """
    size = min(len(rows.scores) // 2, RESAMPLED_ROWS)
    random = np.random.RandomState(SEED)
    codes = 2 * np.unique(rows.scores, return_inverse=True)[1] + rows.positive.astype(np.int64)
    samples = [np.sort(codes[random.choice(len(codes), size, replace=True)]) for _ in range(RESAMPLES if size else 0)]
    precisions = [average_precision(_decode(sample)) for sample in samples]
    values = [value for value in precisions if value is not None]
    return MetricSpread(float(np.std(values)) * sqrt(size)) if values else None


def _decode(codes: IntArray) -> RankedRows:
    """Count rows by rank of score and label; `codes` are 2 * rank + label, ascending."""
    positives = (codes & 1).astype(np.float64)
    return group_by_score((codes >> 1).astype(np.float64), positives, 1 - positives)


def log_loss_spread(rows: ReferenceRows) -> MetricSpread | None:
    """Return the spread of a row's log loss."""
    return _loss_spread(rows, log_losses)


def brier_spread(rows: ReferenceRows) -> MetricSpread | None:
    """Return the spread of a row's squared difference of score and label."""
    return _loss_spread(rows, brier_losses)


def _loss_spread(
    rows: ReferenceRows, losses: Callable[[FloatArray], tuple[FloatArray, FloatArray]]
) -> MetricSpread | None:
    """Return the spread of the losses; None if a score is not a probability."""
    if not len(rows.scores) or rows.scores.min() < 0 or rows.scores.max() > 1:
        return None
    return MetricSpread(float(np.std(np.where(rows.positive, *losses(rows.scores)))))


def f1_spread(rows: ReferenceRows) -> MetricSpread | None:
    """Return the spread of being a true positive among the rows whose label or prediction is 1.

    True positives T and errors E are multinomial: by the delta method the error is 2 sqrt(TE(T + E)) / (2T + E)².
    NannyML ignores that T is in the denominator too: 2 sqrt(TE / (T + E)) / (2T + E). `overstated` is their ratio.
    """
    predicted_positive, positive = rows.predicted_positive, rows.positive
    hits, relevant = int(np.sum(predicted_positive & positive)), int(np.sum(predicted_positive | positive))
    if not relevant:
        return None
    scale = relevant / ((relevant - hits) * 0.5 + hits)
    share = hits / relevant
    return MetricSpread(scale * sqrt(share * (1 - share)), relevant / len(positive), overstated=1 + share)


def share_spread(hits: BoolArray, among: BoolArray) -> MetricSpread | None:
    """Return the spread of a share of hits among the rows that the metric considers."""
    return MetricSpread(float(np.std(hits[among])), float(np.mean(among))) if among.any() else None


def count_spread(counted: BoolArray) -> MetricSpread | None:
    """Return the spread of a number of rows."""
    return MetricSpread(float(np.std(counted)), total=True) if len(counted) else None


def business_value_spread(rows: ReferenceRows) -> MetricSpread | None:
    """Return the spread of the value of one prediction; None if the spec states no value."""
    value = rows.spec.business_value
    if value is None:
        return None
    if_predicted_positive = np.where(rows.positive, value.true_positive, value.false_positive)
    if_predicted_negative = np.where(rows.positive, value.false_negative, value.true_negative)
    values = np.where(rows.predicted_positive, if_predicted_positive, if_predicted_negative)
    return MetricSpread(float(np.std(values)), total=not value.per_prediction) if len(values) else None
