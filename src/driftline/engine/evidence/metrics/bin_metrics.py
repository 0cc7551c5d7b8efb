"""ROC AUC, F1 and accuracy of counts by bin, counted or expected. No I/O here."""

import numpy as np

from driftline.engine.catalogue import HARM
from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.results import Metric

METRICS = (Metric.ROC_AUC, Metric.F1, Metric.ACCURACY)
"""The metrics that are evidence, in this order."""
MARGINS = np.array([HARM[metric] for metric in METRICS])
"""How much lower each metric must be to matter."""


def metrics_of(rows: IntArray | FloatArray, positives: IntArray | FloatArray) -> FloatArray:
    """Return the three metrics, shape (..., 3), of counts of shape (..., 2, bins) by prediction and ascending score.

    Rows of a bin tie. `positives` may be expected numbers. NaN where a metric is undefined: ROC AUC without rows of
    both classes, F1 where neither predictions nor labels are 1, accuracy without rows.
    """
    right = positives[..., 1, :].sum(-1) + (rows - positives)[..., 0, :].sum(-1)
    relevant = rows[..., 1, :].sum(-1) + positives.sum((-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = 2 * positives[..., 1, :].sum(-1) / relevant
        accuracy = right / rows.sum((-1, -2))
    return np.stack([_roc_auc(rows.sum(-2), positives.sum(-2)), f1, accuracy], axis=-1)


def _roc_auc(rows: IntArray | FloatArray, positives: IntArray | FloatArray) -> FloatArray:
    negatives = rows - positives
    below = np.cumsum(negatives, axis=-1) - negatives / 2
    pairs = positives.sum(-1) * negatives.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        auc: FloatArray = (positives * below).sum(-1) / pairs
    return auc
