"""Tilts of the distribution of residuals: the exact likelihood ratios of a regression's evidence. No I/O here.

In the reference a residual is in bin k with probability p_k. The alternatives are the exponential family

    p_k(g) = p_k exp(g x_k - A(g)),   A(g) = log sum p_k exp(g x_k),

where x_k is the bin's residual (for the mean) or absolute residual (for the size), bounded and scaled to mean 0 and
standard deviation 1 under p (Efron 2022, Exponential Families in Theory and Practice, section 1.3). A tilt of g moves
the mean of x by about g standard deviations. The log likelihood ratio of n rows with counts n_k is
g sum n_k x_k - n A(g). It depends on counts only: no tail of the residuals can make it large, and its e-value has mean
exactly 1 under p. The ratio of a + d to the edge a of the zone has, under a tilt of g, the mean
exp(A(g + d) - A(g) - A(a + d) + A(a)) per row: at most 1 for every g <= a, because A is convex.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.engine.evidence.metrics.indifference import IndifferenceZone
from driftline.engine.frames.columns import FloatArray, IntArray

TILTS = (0.15, 0.4, 1.0)
"""The tested tilts beyond the zone, in standard deviations."""
LARGEST_PLACE = 4.0
"""Residuals are bounded to this many robust standard deviations around the median: rare ones do not set the scale."""
NORMAL_QUARTILES = 1.349
"""The distance between the quartiles of a normal distribution of standard deviation 1."""


@dataclass(frozen=True, slots=True, eq=False)
class TiltDirection:
    """The places x_k of the bins, of mean 0 and standard deviation 1 under the probabilities p_k of the reference."""

    places: FloatArray
    probabilities: FloatArray

    @classmethod
    def of(cls, values: FloatArray, probabilities: FloatArray) -> Self | None:
        """Return the direction of bins with these values; None where all values are equal."""
        center = probabilities @ values
        scale = np.sqrt(probabilities @ (values - center) ** 2)
        return cls((values - center) / scale, probabilities) if scale > 0 else None

    def log_ratio(self, counts: IntArray | FloatArray, tilt: FloatArray | float) -> FloatArray:
        """Return the log likelihood ratio of a tilt against the reference, by chunk; `counts` are (chunks, bins).

        The tilt may differ by chunk.
        """
        moves = np.asarray(tilt)[..., None] * self.places
        norms = np.log((self.probabilities * np.exp(moves)).sum(-1, keepdims=True))
        total: FloatArray = (counts * (moves - norms)).sum(-1)  # no BLAS: see residuals
        return total

    def statistics(self, counts: IntArray | FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the score statistic U and its variance V of each chunk: the tilt is about U / V."""
        return (counts * self.places).sum(-1), counts.sum(-1).astype(np.float64)

    def tilted(self, tilt: float) -> FloatArray:
        """Return the probabilities of the bins after a tilt."""
        weights = self.probabilities * np.exp(tilt * self.places)
        return np.asarray(weights / weights.sum())


def log_evidence(
    direction: TiltDirection,
    indifference: IndifferenceZone,
    counts: IntArray,
    usual: FloatArray,
    signs: tuple[int, ...],
) -> list[FloatArray]:
    """Return log e-values by chunk, one array for each sign and tilt.

    The log likelihood ratio of a tilt to the edge of the zone, divided by the overdispersion of chunks, as
    in `share.log_evidence`. `usual` is the tilt of each chunk's weekday.
    """
    _, variance = direction.statistics(counts)
    overdispersion = indifference.overdispersion(variance)
    ratios = []
    for sign in signs:
        edge, *tilted = (
            direction.log_ratio(counts, usual + sign * (indifference.half_width + tilt)) for tilt in (0.0, *TILTS)
        )
        ratios += [(ratio - edge) / overdispersion for ratio in tilted]
    return ratios


def bounded(values: FloatArray, probabilities: FloatArray) -> FloatArray:
    """Return bin values bounded to `LARGEST_PLACE` robust standard deviations from their median.

    Where the quartiles coincide, the standard deviation is that of all values.
    """
    order = np.argsort(values, kind="stable")
    shares = np.cumsum(probabilities[order])
    low, median, high = (values[order[np.searchsorted(shares, share)]] for share in (0.25, 0.5, 0.75))
    scale = (high - low) / NORMAL_QUARTILES or np.sqrt(probabilities @ (values - probabilities @ values) ** 2)
    return np.clip(values, median - LARGEST_PLACE * scale, median + LARGEST_PLACE * scale)
