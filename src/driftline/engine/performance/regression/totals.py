"""Sums of losses over a chunk's rows: all that performance is computed from. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from driftline.engine.columns import FloatArray
from driftline.engine.performance.regression.losses import Loss


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows have a loss, what these add up to, and how many rows should have one and have none."""

    rows: int
    total: float
    undefined: int = 0

    @classmethod
    def of(cls, losses: FloatArray) -> "Total":
        """Add up losses, NaN where one is undefined."""
        known = losses[~np.isnan(losses)]
        return cls(len(known), float(np.sum(known)), len(losses) - len(known))

    def merge(self, other: "Total") -> "Total":
        """Put two parts of a chunk together."""
        return Total(self.rows + other.rows, self.total + other.total, self.undefined + other.undefined)

    @property
    def mean(self) -> float:
        """The mean loss; NaN without rows."""
        return self.total / self.rows if self.rows else float("nan")


@dataclass(frozen=True, slots=True)
class Totals:
    """A chunk's rows, those with a label, those with a prediction, and by loss what is known and what is estimated.

    `known` is of the rows with label and prediction, `expected` of the rows with a prediction. Merges exactly, but for
    the rounding of sums.
    """

    rows: int
    labelled: int
    known: Mapping[Loss, Total]
    expected: Mapping[Loss, Total]

    def merge(self, other: "Totals") -> "Totals":
        """Put two parts of a chunk together."""
        return Totals(
            self.rows + other.rows,
            self.labelled + other.labelled,
            {loss: total.merge(other.known[loss]) for loss, total in self.known.items()},
            {loss: total.merge(other.expected[loss]) for loss, total in self.expected.items()},
        )
