"""Standard errors of performance metrics, from the reference's spread and the chunk's rows. No I/O here."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Self

import numpy as np

from driftline.engine.columns import BoolArray, FloatArray
from driftline.engine.outcome import finite
from driftline.engine.results import Metric


@dataclass(frozen=True, slots=True)
class Spread:
    """What one row says about a metric: its standard deviation, and the share of rows that say anything."""

    deviation: float
    share: float

    def error(self, rows: int) -> float | None:
        """Return the standard error of the metric over `rows` rows; None where the reference could not tell."""
        return finite(self.deviation / sqrt(rows * self.share)) if rows * self.share > 0 else None


@dataclass(frozen=True, slots=True)
class SamplingErrors:
    """The spread of each metric in the reference; a metric that the reference cannot tell has none."""

    spreads: dict[Metric, Spread]

    def of(self, metric: Metric, rows: int) -> float | None:
        """Return one standard error of `metric` over `rows` rows, in the metric's unit."""
        spread = self.spreads.get(metric)
        return spread.error(rows) if spread else None

    def to_dict(self) -> dict[str, Any]:
        """Return the state as values that JSON has."""
        return {metric.value: [spread.deviation, spread.share] for metric, spread in self.spreads.items()}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls({Metric(name): Spread(*pair) for name, pair in state.items()})


def fit(scores: FloatArray, predictions: FloatArray, labels: FloatArray) -> SamplingErrors:
    """Measure the spreads in the reference's rows: 0/1 predictions and labels, and scores, in the order of time.

    NaN is missing; each metric uses the rows that have what it needs. The formulas are NannyML 0.13.1's
    (sampling_error/binary_classification.py); its error of F1 is some way above the true one. Rows of equal score are
    ranked as they come, so the error of ROC AUC depends a little on the order of the rows.
    """
    scored = np.isfinite(scores) & np.isfinite(labels)
    predicted = np.isfinite(predictions) & np.isfinite(labels)
    spreads = {
        Metric.ROC_AUC: _roc_auc(scores[scored], labels[scored]),
        Metric.F1: _f1(predictions[predicted] == 1, labels[predicted] == 1),
        Metric.ACCURACY: _accuracy(predictions[predicted] == labels[predicted]),
    }
    return SamplingErrors({metric: spread for metric, spread in spreads.items() if spread})


def _roc_auc(scores: FloatArray, labels: FloatArray) -> Spread | None:
    """Spread of the share of negatives below each positive: ROC AUC is its mean (Mann-Whitney U)."""
    if not 0 < labels.sum() < len(labels):
        return None
    if np.mean(labels) > 0.5:
        labels, scores = 1 - labels, 1 - scores
    ranks = np.flatnonzero(labels[np.argsort(scores)])
    ranks = ranks[ranks > 0]  # NannyML leaves out a positive on rank 0; kept, so that errors stay equal to its own
    positives = labels.sum()
    below = (ranks - np.arange(len(ranks))) / (len(labels) - positives)
    return Spread(float(np.std(below)), float(positives / len(labels)))


def _f1(claimed: BoolArray, positive: BoolArray) -> Spread | None:
    hits, relevant = int(np.sum(claimed & positive)), int(np.sum(claimed | positive))
    if not relevant:
        return None
    scale = relevant / ((relevant - hits) * 0.5 + hits)
    share = hits / relevant
    return Spread(scale * sqrt(share * (1 - share)), relevant / len(positive))


def _accuracy(right: BoolArray) -> Spread | None:
    return Spread(float(np.std(right)), 1.0) if len(right) else None
