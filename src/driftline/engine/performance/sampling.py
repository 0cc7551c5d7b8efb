"""Standard errors of performance metrics, from the reference's spread and the chunk's rows. No I/O here."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, Self

import numpy as np

from driftline.engine.columns import FloatArray, IntArray
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


def fit(scores: FloatArray, predictions: IntArray, labels: IntArray) -> SamplingErrors:
    """Measure the spreads in the reference's rows: 0/1 predictions and labels with finite scores, in the order of time.

    The formulas are NannyML 0.13.1's (sampling_error/binary_classification.py). Rows of equal score are ranked as they
    come, so the error of ROC AUC depends a little on the order of the rows.
    """
    if not len(labels):
        return SamplingErrors({})
    spreads = {Metric.ACCURACY: Spread(float(np.std(predictions == labels)), 1.0)}
    if 0 < labels.sum() < len(labels):
        spreads[Metric.ROC_AUC] = _roc_auc(scores, labels)
    if np.any(predictions | labels):
        spreads[Metric.F1] = _f1(predictions, labels)
    return SamplingErrors(spreads)


def _roc_auc(scores: FloatArray, labels: IntArray) -> Spread:
    """Spread of the share of negatives below each positive: ROC AUC is its mean (Mann-Whitney U)."""
    if np.mean(labels) > 0.5:
        labels, scores = 1 - labels, 1 - scores
    ranks = np.flatnonzero(labels[np.argsort(scores)])
    ranks = ranks[ranks > 0]  # NannyML leaves out a positive on rank 0; kept, so that errors stay equal to its own
    positives = labels.sum()
    below = (ranks - np.arange(len(ranks))) / (len(labels) - positives)
    return Spread(float(np.std(below)), float(positives / len(labels)))


def _f1(predictions: IntArray, labels: IntArray) -> Spread:
    hits = int(np.sum(predictions & labels))
    relevant = int(np.sum(predictions | labels))
    scale = relevant / ((relevant - hits) * 0.5 + hits)
    share = hits / relevant
    return Spread(scale * sqrt(share * (1 - share)), relevant / len(labels))
