"""Evidence from predicted errors alone that the loss of a regression rises. No I/O here."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from scipy.special import stdtr

from driftline.engine.evidence.metrics.block_metrics import MINIMUM_BLOCK_ROWS, MINIMUM_BLOCKS, TINY
from driftline.engine.evidence.metrics.expected_metrics import EXPONENT
from driftline.engine.evidence.metrics.indifference import lowest_chi2
from driftline.engine.frames.columns import FloatArray
from driftline.engine.performance.regression.losses import Loss

MARGIN = 0.1
"""A loss that is higher by this share of its usual value is harm."""
FLOOR = 0.2
"""Rises up to this share of the margin are never evidence."""


@dataclass(frozen=True, slots=True)
class ExpectedLoss:
    """The mean expected loss over blocks of the reference, and its variances.

    `between` is the variance between blocks, `sampling` that of one row. `rows` is the mean number of rows of the
    `blocks`, and `block_rows` the smallest that a block may have.
    """

    loss: Loss
    mean: float
    between: float
    sampling: float
    rows: float
    blocks: int
    block_rows: float = MINIMUM_BLOCK_ROWS

    @classmethod
    def fit(
        cls,
        loss: Loss,
        rows: FloatArray,
        totals: FloatArray,
        row_variance: float,
        block_rows: float = MINIMUM_BLOCK_ROWS,
    ) -> Self | None:
        """Fit from the rows and the sums of the blocks, and the variance of one row; None for too few blocks.

        The variance of means between blocks is an upper confidence limit (`indifference.lowest_chi2`), less that of
        sampling, as in `BlockMetrics.fit`.
        """
        blocks, means = len(rows), totals / rows
        if blocks < MINIMUM_BLOCKS or means.mean() <= 0:
            return None
        upper = means.var(ddof=1) * (blocks - 1) / lowest_chi2(blocks - 1)
        size = float(rows.mean())
        between = max(float(upper) - row_variance / size, 0.0)
        return cls(loss, float(means.mean()), between, row_variance, size, blocks, block_rows)

    def log_evidence(self, rows: FloatArray, totals: FloatArray) -> FloatArray:
        """Return log e-values of blocks: 0.3 p^-0.7 of the p-value of a rise beyond the floor, by Student's t.

        The error is that of a block and of the reference's mean (`expected_metrics` does the same for a binary model).
        """
        rise = totals / rows - self.mean * (1 + FLOOR * MARGIN)
        of_mean = (self.between + self.sampling / self.rows) / self.blocks
        error = np.sqrt(np.maximum(self.between + self.sampling / rows + of_mean, TINY * self.mean**2))
        p_value = np.maximum(stdtr(self.blocks - 1, -rise / error), 1e-300)
        evidence: FloatArray = np.log(EXPONENT) + (EXPONENT - 1) * np.log(p_value)
        return evidence

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON-compatible values."""
        return asdict(self) | {"loss": self.loss.value}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the values that `to_dict` serialized."""
        return cls(**stored | {"loss": Loss(stored["loss"])})


def blocks_of(
    rows: FloatArray, totals: FloatArray, minimum: float, open_rows: float = 0.0, open_total: float = 0.0
) -> tuple[list[int], FloatArray, FloatArray, FloatArray, FloatArray]:
    """Join consecutive chunks, after an open block, to blocks of at least `minimum` rows.

    Return the last position, the rows and the sum of each complete block, and the rows and the sum of the open block
    after each chunk.
    """
    ends: list[int] = []
    complete: list[tuple[float, float]] = []
    remaining = np.zeros((len(rows), 2))
    for position, (count, total) in enumerate(zip(rows.tolist(), totals.tolist(), strict=True)):
        open_rows, open_total = open_rows + count, open_total + total
        if open_rows >= minimum:
            ends.append(position)
            complete.append((open_rows, open_total))
            open_rows, open_total = 0.0, 0.0
        remaining[position] = open_rows, open_total
    of_blocks = np.array(complete).reshape(-1, 2)
    return ends, of_blocks[:, 0], of_blocks[:, 1], remaining[:, 0], remaining[:, 1]
