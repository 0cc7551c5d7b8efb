"""Sums of losses over the rows of a chunk: the summary for performance. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from driftline.engine.frames.columns import FloatArray
from driftline.engine.performance.regression.losses import Loss
from driftline.engine.performance.regression.residual_bins import ResidualSummary
from driftline.engine.sums.exact_sum import ExactSum


@dataclass(frozen=True, slots=True)
class LossSum:
    """The number of rows with a loss, the exact sum of these losses, and the number of rows whose loss is undefined."""

    rows: int
    total: ExactSum
    undefined: int = 0

    @classmethod
    def of(cls, losses: FloatArray) -> "LossSum":
        """Sum up losses; NaN is undefined."""
        defined = losses[~np.isnan(losses)]
        return cls(len(defined), ExactSum.of(defined), len(losses) - len(defined))

    def merge(self, other: "LossSum") -> "LossSum":
        """Merge the sums of two parts of a chunk."""
        return LossSum(self.rows + other.rows, self.total.merge(other.total), self.undefined + other.undefined)

    @property
    def mean(self) -> float:
        """The mean loss; NaN without rows."""
        return self.total.mean(self.rows) if self.rows else float("nan")


@dataclass(frozen=True, slots=True)
class LossSummary:
    """The number of rows and of labelled rows of a chunk, and the realized and expected sum of each loss.

    `realized` covers rows with label and prediction, `expected` rows with a prediction; the one is empty where only
    features were summarized, the other where only labels were. `residuals` are those of the rows in `realized`; None
    where only features were summarized, or the reference has no bins for them. Merges exactly.
    """

    rows: int
    labelled: int
    realized: Mapping[Loss, LossSum]
    expected: Mapping[Loss, LossSum]
    residuals: ResidualSummary | None = None

    def merge(self, other: "LossSummary") -> "LossSummary":
        """Merge the sums of two parts of a chunk."""
        return LossSummary(
            self.rows + other.rows,
            self.labelled + other.labelled,
            {loss: total.merge(other.realized[loss]) for loss, total in self.realized.items()},
            {loss: total.merge(other.expected[loss]) for loss, total in self.expected.items()},
            self.residuals.merge(other.residuals) if self.residuals and other.residuals else None,
        )

    def join(self, labels: "LossSummary") -> "LossSummary":
        """Return the expected losses of these rows with the realized losses of the same rows."""
        return LossSummary(self.rows, labels.labelled, labels.realized, self.expected, labels.residuals)
