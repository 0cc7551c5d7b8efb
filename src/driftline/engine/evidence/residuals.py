"""Differences between labels and calibrated scores, and their variance between chunks of the reference. No I/O here.

A shift a of all log-odds moves the share of positives; a tilt b of the log-odds around their mean moves how well scores
rank. Both have a score statistic U with variance V while the calibration holds: a is about U / V.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import gammaincinv

from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.evidence.score_bins import ScoreBins

LEVEL = 0.2
"""Variances between chunks are upper confidence limits at this level, one-sided."""
LEVEL_FREEDOM = 20
"""With fewer degrees of freedom the level falls in proportion: few chunks tell little about how chunks vary."""
SMALLEST_ZONE = 0.10
"""Changes of log-odds up to this one are never evidence."""
ERRORS = 2.5
"""The zone is at least this many standard errors of the reference's mean."""


@dataclass(frozen=True, slots=True)
class Indifference:
    """The zone of indifference: how far log-odds may differ from 0 without counting as changed.

    `variance` is that of log-odds between chunks, `zone` the half-width of the zone."""

    variance: float
    zone: float

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON-compatible values."""
        return asdict(self)


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


def indifference(statistics: FloatArray, variances: FloatArray) -> Indifference:
    """Fit the zone from the statistics U and variances V of the reference's chunks, at least two of them."""
    between = variance_between(statistics, variances)
    error = np.sqrt(1 / max(variances.sum(), 1e-9) + between / len(statistics))
    return Indifference(between, max(SMALLEST_ZONE, ERRORS * float(error)))


def variance_between(statistics: FloatArray, variances: FloatArray) -> float:
    """Return the upper confidence limit of the variance between chunks: t2 >= 0 in sum U^2 / (V + V^2 t2) = quantile.

    This is the Q-profile method (Viechtbauer 2007, Statistics in Medicine 26, 37-52) for effects U / V with sampling
    variances 1 / V.
    """
    goal = lowest_chi2(len(statistics) - 1)

    def excess(variance: float) -> float:
        return float((statistics**2 / np.maximum(variances + variances**2 * variance, 1e-12)).sum()) - goal

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, 1.0
    while excess(high) > 0 and high < 1e6:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def lowest_chi2(freedom: int) -> float:
    """Return the chi2 quantile that upper confidence limits of variances divide by.

    Its level is `LEVEL`, less with few degrees of freedom. A limit that is too low makes alerts of a model's calm
    chunks, the more of them the fewer chunks the limit rests on; this keeps their mean within the budget
    (`benchmarks/README.md`).
    """
    level = LEVEL * min(1.0, freedom / LEVEL_FREEDOM)
    return 2.0 * float(gammaincinv(freedom / 2, level))


def log_likelihood(
    bins: ScoreBins, labelled: IntArray | FloatArray, positives: IntArray | FloatArray, shift: float, tilt: float
) -> FloatArray:
    """Return the exact log likelihood ratio of shifted and tilted log-odds against the calibrated ones, by chunk."""
    rows, hits = labelled.sum(-2), positives.sum(-2)
    change = shift + tilt * bins.scaled_log_odds
    norm = np.log1p(bins.chances * np.expm1(np.clip(change, -30, 30)))
    total: FloatArray = (hits * change - rows * norm).sum(-1)  # no BLAS: its rounding depends on the number of chunks
    return total
