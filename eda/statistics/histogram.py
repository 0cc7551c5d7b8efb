"""A histogram on a fixed grid, so that histograms of chunks add up exactly. No I/O here.

Whole numbers below 128 have a bin each; above, each doubling has 64 bins, so a bin is at most 1/64 of its value wide
and its middle at most 0.8 % off (the grid of HdrHistogram, http://hdrhistogram.org).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EXACT_BELOW = 128
PER_DOUBLING = 64
_FIRST_DOUBLING = 6
BINS = PER_DOUBLING * (63 - _FIRST_DOUBLING + 1)
"""The number of bins, enough for every BIGINT."""
LARGEST_ERROR = 1 / (2 * PER_DOUBLING)


def bins_of(values: Floats) -> Ints:
    """Return the bin of each value (at least 0, below 2^63; a fraction goes to its whole number's bin)."""
    fraction, exponent = np.frexp(values)
    place = np.floor((2 * fraction - 1) * PER_DOUBLING) + PER_DOUBLING * (exponent - _FIRST_DOUBLING)
    return np.where(values < PER_DOUBLING, np.floor(values), place).astype(np.int64)


def _lower_edges() -> Floats:
    bins = np.arange(BINS + 1)
    doubling = np.maximum(bins // PER_DOUBLING - 1, 0)
    return np.where(bins < PER_DOUBLING, bins, (PER_DOUBLING + bins % PER_DOUBLING) * 2.0**doubling).astype(np.float64)


EDGES: Floats = _lower_edges()
"""The lower edge of each bin, and the last one's upper edge."""


@dataclass(frozen=True)
class UsageHistogram:
    """Counts per bin of the grid, with the exact minimum and maximum, which are None without values."""

    counts: Ints
    minimum: float | None
    maximum: float | None

    @property
    def total(self) -> int:
        """The number of values."""
        return int(self.counts.sum())

    @property
    def zero_share(self) -> float | None:
        """The share of zeros, or None without values."""
        return float(self.counts[0] / self.total) if self.total else None

    def quantile(self, share: float) -> float | None:
        """Return the quantile for a share: exact below 128, else with a relative error of at most `LARGEST_ERROR`.

        It is the smallest value that reaches the share, without interpolation; None without values.
        """
        if self.minimum is None or self.maximum is None:
            return None
        rank = max(int(np.ceil(share * self.total)), 1)
        place = int(np.searchsorted(np.cumsum(self.counts), rank))
        middle = EDGES[place] if place < EXACT_BELOW else (EDGES[place] + EDGES[place + 1]) / 2
        return float(np.clip(middle, self.minimum, self.maximum))

    def counts_between(self, edges: Floats) -> Ints:
        """Count the values in each [edge, next edge); edges must be edges of the grid (see `snapped`)."""
        sums = np.concatenate(([0], np.cumsum(self.counts)))
        return np.diff(sums[np.searchsorted(EDGES, edges)])

    def __add__(self, other: "UsageHistogram") -> "UsageHistogram":
        return UsageHistogram(
            self.counts + other.counts,
            min((h.minimum for h in (self, other) if h.minimum is not None), default=None),
            max((h.maximum for h in (self, other) if h.maximum is not None), default=None),
        )


EMPTY = UsageHistogram(np.zeros(BINS, np.int64), None, None)


def histogram(values: Floats) -> UsageHistogram:
    """Count values; NaN is left out, and a negative value (which is invalid) is counted in the bin of 0."""
    present = values[~np.isnan(values)]
    if present.size == 0:
        return EMPTY
    counts = np.bincount(bins_of(np.maximum(present, 0.0)), minlength=BINS)
    return UsageHistogram(counts, float(present.min()), float(present.max()))


def snapped(edges: Floats) -> Floats:
    """Move each edge down to the nearest edge of the grid, and remove duplicates."""
    return EDGES[np.unique(np.searchsorted(EDGES, edges, side="right") - 1)]
