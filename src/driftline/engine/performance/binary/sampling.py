"""Standard errors of performance metrics, from the reference's spread and the chunk's rows. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import Any, Self

import numpy as np

from driftline.engine.columns import BoolArray, FloatArray, IntArray
from driftline.engine.outcome import finite
from driftline.engine.performance.binary.ranked import Ranked, average_precision, brier_losses, grouped, log_losses
from driftline.engine.performance.ranks import share_below, share_of_rarer
from driftline.engine.results import Metric
from driftline.engine.spec import BusinessValue, Spec

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
class SamplingErrors:
    """The spread of each metric in the reference; a metric that the reference cannot tell has none."""

    spreads: dict[Metric, Spread]

    def of(self, metric: Metric, rows: int) -> float | None:
        """Return one standard error of `metric` over `rows` rows, in the metric's unit."""
        spread = self.spreads.get(metric)
        return spread.error(rows) if spread else None

    def scatter(self, metric: Metric, rows: int) -> float | None:
        """Return the true standard error, which bounds are drawn with: NannyML's of F1 is above it."""
        spread, error = self.spreads.get(metric), self.of(metric, rows)
        return None if spread is None or error is None else error / spread.overstated

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {metric.value: [s.deviation, s.share, s.total, s.overstated] for metric, s in self.spreads.items()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls({Metric(name): Spread(*parts) for name, parts in state.items()})


def fit(scores: FloatArray, predictions: FloatArray, labels: FloatArray, spec: Spec) -> SamplingErrors:
    """Measure the spread of the spec's metrics in the reference: 0/1 predictions and labels, and scores, in its order.

    NaN is missing; each metric uses the rows that have what it needs. The formulas are NannyML 0.13.1's
    (sampling_error/binary_classification.py); its error of F1 is above the true one (`scatter`). Rows of equal score
    are ranked as they come, so the error of ROC AUC depends a little on the order of the rows. Log loss and Brier
    score, which NannyML lacks, have the standard deviation of a row's loss over sqrt(rows); the calibration error has
    none.
    """
    scored = np.isfinite(scores) & np.isfinite(labels)
    predicted = np.isfinite(predictions) & np.isfinite(labels)
    of_score, truth = scores[scored], labels[scored]
    claimed, positive = predictions[predicted] == 1, labels[predicted] == 1
    of_prediction = dict(_OF_PREDICTION)
    if spec.business_value is not None:
        of_prediction[Metric.BUSINESS_VALUE] = partial(_worth, spec.business_value)
    spreads = {metric: _OF_SCORE[metric](of_score, truth) for metric in spec.metrics if metric in _OF_SCORE}
    spreads |= {metric: of_prediction[metric](claimed, positive) for metric in spec.metrics if metric in of_prediction}
    return SamplingErrors({metric: spread for metric, spread in spreads.items() if spread})


def _roc_auc(scores: FloatArray, labels: FloatArray) -> Spread | None:
    below = share_below(scores, labels == 1)
    return None if below is None else Spread(float(np.std(below)), share_of_rarer(labels == 1))


def _average_precision(scores: FloatArray, labels: FloatArray) -> Spread | None:
    """Spread of samples drawn with replacement, scaled by the root of their size; ones without a positive say nothing.

    So the error over n rows is that spread times sqrt(size / n).
    """
    size = min(len(scores) // 2, RESAMPLED_ROWS)
    random = np.random.RandomState(SEED)
    kinds = 2 * np.unique(scores, return_inverse=True)[1] + labels.astype(np.int64)
    drawn = [np.sort(kinds[random.choice(len(kinds), size, replace=True)]) for _ in range(RESAMPLES if size else 0)]
    found = [average_precision(_of_kinds(kind)) for kind in drawn]
    values = [value for value in found if value is not None]
    return Spread(float(np.std(values)) * sqrt(size)) if values else None


def _of_kinds(kinds: IntArray) -> Ranked:
    """Count rows by rank of score and label, which are coded as 2 * rank + label, ascending."""
    positives = (kinds & 1).astype(np.float64)
    return grouped((kinds >> 1).astype(np.float64), positives, 1 - positives)


def _loss(
    losses: Callable[[FloatArray], tuple[FloatArray, FloatArray]], scores: FloatArray, labels: FloatArray
) -> Spread | None:
    if not len(scores) or scores.min() < 0 or scores.max() > 1:
        return None
    return Spread(float(np.std(np.where(labels == 1, *losses(scores)))))


def _f1(claimed: BoolArray, positive: BoolArray) -> Spread | None:
    hits, relevant = int(np.sum(claimed & positive)), int(np.sum(claimed | positive))
    if not relevant:
        return None
    scale = relevant / ((relevant - hits) * 0.5 + hits)
    share = hits / relevant
    # Hits T and errors E are multinomial: by the delta method the error is 2 sqrt(TE(T + E)) / (2T + E)², and
    # NannyML's, which leaves out that T is below the line too, 2 sqrt(TE / (T + E)) / (2T + E).
    return Spread(scale * sqrt(share * (1 - share)), relevant / len(positive), overstated=1 + share)


def _of_right_ones(right: BoolArray, among: BoolArray) -> Spread | None:
    """Spread of being right, over the rows that a metric looks at."""
    return Spread(float(np.std(right[among])), float(np.mean(among))) if among.any() else None


def _of_count(counted: BoolArray) -> Spread | None:
    return Spread(float(np.std(counted)), total=True) if len(counted) else None


def _worth(value: BusinessValue, claimed: BoolArray, positive: BoolArray) -> Spread | None:
    if_claimed = np.where(positive, value.true_positive, value.false_positive)
    if_not = np.where(positive, value.false_negative, value.true_negative)
    worth = np.where(claimed, if_claimed, if_not)
    return Spread(float(np.std(worth)), total=not value.per_prediction) if len(worth) else None


_OF_SCORE: dict[Metric, Callable[[FloatArray, FloatArray], Spread | None]] = {
    Metric.ROC_AUC: _roc_auc,
    Metric.AVERAGE_PRECISION: _average_precision,
    Metric.LOG_LOSS: partial(_loss, log_losses),
    Metric.BRIER: partial(_loss, brier_losses),
}
_OF_PREDICTION: dict[Metric, Callable[[BoolArray, BoolArray], Spread | None]] = {
    Metric.F1: _f1,
    Metric.ACCURACY: lambda claimed, positive: _of_right_ones(claimed == positive, np.ones_like(claimed)),
    Metric.PRECISION: lambda claimed, positive: _of_right_ones(positive, claimed),
    Metric.RECALL: _of_right_ones,
    Metric.SPECIFICITY: lambda claimed, positive: _of_right_ones(~claimed, ~positive),
    Metric.TRUE_POSITIVES: lambda claimed, positive: _of_count(claimed & positive),
    Metric.FALSE_POSITIVES: lambda claimed, positive: _of_count(claimed & ~positive),
    Metric.TRUE_NEGATIVES: lambda claimed, positive: _of_count(~claimed & ~positive),
    Metric.FALSE_NEGATIVES: lambda claimed, positive: _of_count(~claimed & positive),
}
