"""The spread of a reference's values, from which sampling errors of statistics are computed. No I/O here."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import pi, sqrt
from typing import Any, Self

import numpy as np

from driftline.engine.frames.columns import FloatArray
from driftline.engine.outcome import finite


@dataclass(frozen=True, slots=True)
class ColumnSpread:
    """Standard deviation (n - 1) and 4th central moment of the reference's values, None where there are fewer than 2.

    `densities` has, for some shares, the estimated density at that quantile; None where all values are the same.
    """

    deviation: float | None
    fourth_moment: float | None
    densities: dict[float, float | None]

    @classmethod
    def of(cls, ordered: FloatArray, shares: Iterable[float]) -> Self:
        """Measure the finite values of a reference, given in ascending order."""
        if len(ordered) < 2:
            return cls(None, None, dict.fromkeys(shares))
        with np.errstate(over="ignore", invalid="ignore"):
            deviation = finite(float(np.std(ordered, ddof=1))) if ordered[0] != ordered[-1] else 0.0
            fourth = finite(float(np.mean((ordered - np.mean(ordered)) ** 4))) if deviation else 0.0
        return cls(deviation, fourth, {share: _density(ordered, deviation, share) for share in shares})

    def mean_error(self, rows: int) -> float | None:
        """Return the standard error of the mean of `rows` rows, in the column's unit."""
        return None if self.deviation is None else self.deviation / sqrt(rows)

    def sum_error(self, rows: int) -> float | None:
        """Return the standard error of the sum of `rows` rows, in the column's unit."""
        return None if self.deviation is None else self.deviation * sqrt(rows)

    def deviation_error(self, rows: int) -> float | None:
        """Return the standard error of the standard deviation of `rows` rows (Rao 1973); None where it is not real."""
        if not self.deviation or self.fourth_moment is None or rows < 2:
            return None
        variance = (self.fourth_moment - (rows - 3) * self.deviation**4 / (rows - 1)) / rows
        return sqrt(variance) / (2 * self.deviation) if variance >= 0 else None

    def quantile_error(self, share: float, rows: int) -> float | None:
        """Return the asymptotic standard error of a quantile of `rows` rows, in the column's unit; 0 if equal."""
        density = self.densities.get(share)
        if density is None:
            return None if self.deviation is None else 0.0
        return sqrt(share * (1 - share) / rows) / density

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        densities = [[share, density] for share, density in self.densities.items()]
        return {"deviation": self.deviation, "fourth_moment": self.fourth_moment, "densities": densities}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(state["deviation"], state["fourth_moment"], dict(map(tuple, state["densities"])))


def _density(ordered: FloatArray, deviation: float | None, share: float) -> float | None:
    """Estimate the density at a quantile: Gaussian kernels of Scott's width, as in scipy's gaussian_kde."""
    if not deviation:
        return None
    width = deviation * len(ordered) ** -0.2
    distances = (np.quantile(ordered, share) - ordered) / width
    return finite(float(np.mean(np.exp(-(distances**2) / 2))) / (width * sqrt(2 * pi)))
