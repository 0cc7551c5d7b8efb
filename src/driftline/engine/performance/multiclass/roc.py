"""Areas under ROC curves, one class against the rest. No I/O here."""

import numpy as np

from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.performance.multiclass.rows import Rows


def realized_areas(rows: Rows) -> FloatArray:
    """Return each class's exact area, ties counted half; `rows` are labelled and scored. NaN where it is undefined."""
    hits = [np.where(rows.labels == position, rows.counts, 0.0) for position in range(rows.scores.shape[1])]
    return np.array([_area(*_curve(s, h, rows.counts)) for s, h in zip(rows.scores.T, hits, strict=True)])


def expected_areas(rows: Rows, probabilities: FloatArray) -> FloatArray:
    """Return the area under each class's expected curve; `rows` are scored, `probabilities` (rows, classes).

    The curve is rounded to 5 decimals because NannyML rounds so: values stay equal to its own.
    """
    hits = (probabilities * rows.counts[:, np.newaxis]).T
    curves = [_curve(s, h, rows.counts) for s, h in zip(rows.scores.T, hits, strict=True)]
    return np.array([_area(np.round(alarms, 5), np.round(found, 5)) for alarms, found in curves])


def _curve(scores: FloatArray, hits: FloatArray, counts: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return false and true alarms from the highest score down; rows of equal score are one step, in no order."""
    order = np.argsort(-scores, kind="stable")
    lasts = np.flatnonzero(np.diff(scores[order], append=np.nan) != 0)
    found = np.cumsum(hits[order])[lasts]
    return np.cumsum(counts[order])[lasts].astype(np.float64) - found, found


def _area(alarms: FloatArray, hits: FloatArray) -> float:
    """Return the area under straight lines through the points, from the origin on; exact for whole numbers."""
    if not len(hits) or not alarms[-1] or not hits[-1]:
        return float("nan")
    x, y = np.concatenate(([0.0], alarms)), np.concatenate(([0.0], hits))
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1]))) / (2 * float(alarms[-1]) * float(hits[-1]))
