"""Areas under ROC curves, one class against the rest. No I/O here."""

import numpy as np

from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.performance.multiclass.rows import MulticlassRows


def realized_roc_aucs(rows: MulticlassRows) -> FloatArray:
    """Return each class's exact ROC AUC, ties counted half; `rows` have labels and scores. NaN if undefined."""
    hits = [np.where(rows.labels == position, rows.counts, 0.0) for position in range(rows.scores.shape[1])]
    return np.array([_area(*_curve(s, h, rows.counts)) for s, h in zip(rows.scores.T, hits, strict=True)])


def expected_roc_aucs(rows: MulticlassRows, probabilities: FloatArray) -> FloatArray:
    """Return each class's expected ROC AUC; `rows` have scores, `probabilities` are (rows, classes).

    The curve is rounded to 5 decimals, which keeps values equal to NannyML's.
    """
    hits = (probabilities * rows.counts[:, np.newaxis]).T
    curves = [_curve(s, h, rows.counts) for s, h in zip(rows.scores.T, hits, strict=True)]
    return np.array([_area(np.round(false, 5), np.round(true, 5)) for false, true in curves])


def _curve(scores: FloatArray, hits: FloatArray, counts: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return cumulative false and true positives from the highest score down; rows of equal score are one step."""
    order = np.argsort(-scores, kind="stable")
    lasts = np.flatnonzero(np.diff(scores[order], append=np.nan) != 0)
    true_positives = np.cumsum(hits[order])[lasts]
    return np.cumsum(counts[order])[lasts].astype(np.float64) - true_positives, true_positives


def _area(false_positives: FloatArray, true_positives: FloatArray) -> float:
    """Return the area under the ROC curve through the points, starting at the origin; exact for integers."""
    if not len(true_positives) or not false_positives[-1] or not true_positives[-1]:
        return float("nan")
    x, y = np.concatenate(([0.0], false_positives)), np.concatenate(([0.0], true_positives))
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]))) / (2 * float(x[-1]) * float(y[-1]))
