"""The residuals of a chunk, label minus prediction, counted in bins of the reference. No I/O here."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.sums.exact_sum import ExactSum

BINS = 64


@dataclass(frozen=True, slots=True, eq=False)
class ResidualSummary:
    """The number of residuals in each bin, and the exact sums of the residuals and of their absolute values."""

    counts: IntArray
    total: ExactSum
    absolute: ExactSum

    def merge(self, other: "ResidualSummary") -> "ResidualSummary":
        """Merge the residuals of two parts of a chunk."""
        return ResidualSummary(
            self.counts + other.counts, self.total.merge(other.total), self.absolute.merge(other.absolute)
        )


@dataclass(frozen=True, slots=True, eq=False)
class ResidualBins:
    """The edges between bins: the quantiles of the reference's residuals, so that each bin has as many rows.

    A residual that equals an edge is in the bin above it. There are 64 bins, or fewer where residuals repeat.
    """

    edges: FloatArray

    @classmethod
    def fit(cls, outputs: Outputs) -> Self | None:
        """Fit on the reference's rows; None without rows that have both label and prediction."""
        residuals = np.sort(residuals_of(outputs))
        if not len(residuals):
            return None
        edges = np.unique(residuals[np.arange(1, BINS) * len(residuals) // BINS])
        return cls(edges[edges > residuals[0]])

    @property
    def count(self) -> int:
        """The number of bins."""
        return len(self.edges) + 1

    def bins_of(self, residuals: FloatArray) -> IntArray:
        """Return the bin of each residual."""
        return np.searchsorted(self.edges, residuals, side="right")

    def summarize(self, outputs: Outputs) -> ResidualSummary:
        """Count and sum up the residuals of some or all rows of a chunk."""
        residuals = residuals_of(outputs)
        counts = np.bincount(self.bins_of(residuals), minlength=self.count)
        return ResidualSummary(counts, ExactSum.of(residuals), ExactSum.of(np.abs(residuals)))

    def to_dict(self) -> dict[str, Any]:
        """Return the edges as JSON-compatible values."""
        return {"edges": self.edges.tolist()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the bins that `to_dict` serialized."""
        return cls(np.asarray(stored["edges"], dtype=np.float64))


def residuals_of(outputs: Outputs) -> FloatArray:
    """Return label minus prediction of the rows that have both."""
    complete = outputs.complete
    return complete.labels - complete.predictions
