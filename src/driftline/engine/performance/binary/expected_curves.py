"""Areas under the curves that calibrated scores lead to expect. No I/O here."""

import numpy as np

from driftline.engine.columns import FloatArray

_DECIMALS = 5
"""NannyML rounds expected hits and alarms to 5 decimals; the same rounding here keeps values equal to its own."""


def expected_roc_auc(hits: FloatArray, claims: FloatArray) -> float | None:
    """Return the area under the expected ROC curve, from the highest score down; `hits` and `claims` by row.

    None where a class is not expected at all.
    """
    alarms = np.round(claims - hits, _DECIMALS)
    hits = np.round(hits, _DECIMALS)
    if not len(hits) or not hits[-1] or not alarms[-1]:
        return None
    twice = np.sum(np.diff(alarms, prepend=0.0) * (hits + np.concatenate(([0.0], hits[:-1]))))
    return float(twice) / 2 / float(hits[-1]) / float(alarms[-1])


def expected_average_precision(hits: FloatArray, claims: FloatArray) -> float | None:
    """Return the average precision of the expected curve, from the highest score down; `hits` and `claims` by row.

    Rows of equal score are steps of their own. None where no row of class 1 is expected.
    """
    hits = np.round(hits, _DECIMALS)
    if not len(hits) or not hits[-1]:
        return None
    return float(np.sum(np.diff(hits, prepend=0.0) * hits / claims) / hits[-1])
