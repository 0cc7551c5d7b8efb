"""Differences between labels and calibrated scores, by chunk. No I/O here.

A shift a of all log-odds moves the share of positives; a tilt b of the log-odds around their mean moves how well scores
rank. Both have a score statistic U with variance V while the calibration holds: a is about U / V.
"""

from dataclasses import dataclass

import numpy as np

from driftline.engine.evidence.scores.score_bins import ScoreBins
from driftline.engine.frames.columns import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """The score statistics of each chunk and their variances, for the shift and for the tilt."""

    shift: FloatArray
    shift_variance: FloatArray
    tilt: FloatArray
    tilt_variance: FloatArray

    @classmethod
    def of(cls, bins: ScoreBins, labelled: IntArray | FloatArray, positives: IntArray | FloatArray) -> "Residuals":
        """Compute them from counts of shape (..., 2, bins)."""
        rows, hits = labelled.sum(-2), positives.sum(-2)
        weights, residuals = rows * bins.chances * (1 - bins.chances), hits - rows * bins.chances
        total = weights.sum(-1, keepdims=True)
        center = (weights * bins.scaled_log_odds).sum(-1, keepdims=True) / np.maximum(total, 1e-9)
        offsets = bins.scaled_log_odds - center
        return cls(residuals.sum(-1), total[..., 0], (residuals * offsets).sum(-1), (weights * offsets**2).sum(-1))


def log_likelihood(
    bins: ScoreBins,
    labelled: IntArray | FloatArray,
    positives: IntArray | FloatArray,
    shift: FloatArray | float,
    tilt: FloatArray | float,
) -> FloatArray:
    """Return the exact log likelihood ratio of shifted and tilted log-odds against the calibrated ones, by chunk.

    `shift` and `tilt` may differ by chunk.
    """
    rows, hits = labelled.sum(-2), positives.sum(-2)
    change = np.asarray(shift)[..., None] + np.asarray(tilt)[..., None] * bins.scaled_log_odds
    norm = np.log1p(bins.chances * np.expm1(np.clip(change, -30, 30)))
    total: FloatArray = (hits * change - rows * norm).sum(-1)  # no BLAS: its rounding depends on the number of chunks
    return total
