"""A regression chunk's rows counted by bin of residual, with sums of residuals and expected losses. No I/O here."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.frames.columns import FloatArray, IntArray

ROWS, RESIDUALS, ABSOLUTE, EXPECTED_ROWS, EXPECTED = range(5)
"""The places in `ResidualCounts.sums`."""


@dataclass(frozen=True, slots=True, eq=False)
class ResidualCounts(Counts):
    """Counts of residuals by bin, shape (bins,), and sums; those of several chunks have a further first axis.

    `sums` are: all rows; the sum of the residuals, and of their absolute values; the rows with an expected loss, and
    the sum of these losses.
    """

    counts: IntArray
    sums: FloatArray

    @classmethod
    def empty(cls, bins: int) -> Self:
        """Return the counts of no rows."""
        return cls(np.zeros(bins, dtype=np.int64), np.zeros(5))
