"""Areas under the ROC and precision-recall curves expected from calibrated scores. No I/O here."""

import numpy as np

from driftline.engine.frames.columns import FloatArray

_DECIMALS = 5
"""The rounding of expected counts, which keeps values equal to NannyML's."""


def expected_roc_auc(true_positives: FloatArray, row_counts: FloatArray) -> float | None:
    """Return the area under the expected ROC curve from cumulative counts by row, from the highest score down.

    None if no row of one class is expected.
    """
    false_positives = np.round(row_counts - true_positives, _DECIMALS)
    true_positives = np.round(true_positives, _DECIMALS)
    if not len(true_positives) or not true_positives[-1] or not false_positives[-1]:
        return None
    heights = true_positives + np.concatenate(([0.0], true_positives[:-1]))
    twice = np.sum(np.diff(false_positives, prepend=0.0) * heights)
    return float(twice) / 2 / float(true_positives[-1]) / float(false_positives[-1])


def expected_average_precision(true_positives: FloatArray, row_counts: FloatArray) -> float | None:
    """Return the expected average precision from cumulative counts by row, from the highest score down.

    Each row is a step, even among equal scores. None if no row of class 1 is expected.
    """
    true_positives = np.round(true_positives, _DECIMALS)
    if not len(true_positives) or not true_positives[-1]:
        return None
    steps = np.diff(true_positives, prepend=0.0)
    return float(np.sum(steps * true_positives / row_counts) / true_positives[-1])
