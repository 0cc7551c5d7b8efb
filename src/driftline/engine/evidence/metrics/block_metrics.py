"""The variance of metrics in the reference: between blocks, and from the sampling of rows. No I/O here.

A block is one chunk, or consecutive chunks with enough rows together: a ratio of few rows is far from normal, and
parts of one day vary together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.evidence.metrics.bin_metrics import MARGINS, metrics_of
from driftline.engine.evidence.metrics.indifference import lowest_chi2
from driftline.engine.frames.columns import FloatArray, IntArray

MINIMUM_BLOCK_ROWS = 500
"""The number of rows that a block has at least; with chunks shorter than a day also those of a day."""
MINIMUM_CLASS_ROWS = 50
"""The number of rows of the rarer class that a block must have by its scores."""
MINIMUM_BLOCKS = 4
FLOOR = 0.2
"""Drops up to this share of a metric's margin are never evidence."""
DRAWS = 400
LARGEST_DRAW = 5000
"""Sampling variances are drawn with at most this many rows; their product with the rows is the same for more rows."""
TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class BlockMetrics:
    """The means of three metrics over the reference's blocks, and their variances.

    `between` is the variance between blocks, `sampling` that of sampling times the number of rows.
    `rows` is the mean number of rows of the `blocks`.
    """

    mean: FloatArray
    between: FloatArray
    sampling: FloatArray
    rows: float
    blocks: int

    @classmethod
    def fit(cls, values: FloatArray, draws: FloatArray, drawn_rows: int, rows: float) -> Self:
        """Fit from the metrics of blocks, shape (blocks, 3), and of drawn blocks with `drawn_rows` rows each."""
        blocks = len(values)
        sampling = np.nanvar(draws, axis=0) * drawn_rows
        upper = values.var(axis=0, ddof=1) * (blocks - 1) / lowest_chi2(blocks - 1)
        return cls(values.mean(axis=0), np.maximum(upper - sampling / rows, 0.0), sampling, rows, blocks)

    @property
    def floor(self) -> FloatArray:
        """The drop of each metric that is too small to matter."""
        return FLOOR * MARGINS

    def variance(self, rows: FloatArray) -> FloatArray:
        """Return the variance of the metrics of blocks with these numbers of rows, shape (blocks, 3)."""
        return np.maximum(self.between + self.sampling / np.maximum(rows, 1.0)[:, None], TINY)

    @property
    def variance_of_mean(self) -> FloatArray:
        """The variance of the reference's mean."""
        return (self.between + self.sampling / self.rows) / self.blocks

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        arrays = {"mean": self.mean, "between": self.between, "sampling": self.sampling}
        return {name: array.tolist() for name, array in arrays.items()} | {"rows": self.rows, "blocks": self.blocks}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        mean, between, sampling = (np.asarray(stored[name]) for name in ("mean", "between", "sampling"))
        return cls(mean, between, sampling, stored["rows"], stored["blocks"])


def is_complete(rows: float, positives: float, minimum: float) -> bool:
    """Return whether counts form a complete block: enough rows, and enough expected rows of the rarer class."""
    return rows >= minimum and min(positives, rows - positives) >= MINIMUM_CLASS_ROWS


def blocks(
    counts: IntArray, chances: FloatArray, minimum: float, open_block: IntArray | None = None
) -> Iterator[tuple[int, IntArray]]:
    """Yield the complete blocks of chunks, of at least `minimum` rows: the position of the last chunk, and the counts.

    `counts` have shape (chunks, 2, bins); `open_block` are the counts of earlier chunks that do not form a
    complete block yet. The last chunks may not form a complete block; they are not yielded.
    """
    total = np.zeros(counts.shape[1:], dtype=counts.dtype) if open_block is None else open_block
    for position, chunk in enumerate(counts):
        total = total + chunk
        by_bin = total.sum(0)
        if is_complete(float(by_bin.sum()), float(by_bin @ chances), minimum):
            yield position, total
            total = np.zeros_like(total)


def metrics_of_draws(pool: IntArray, chances: FloatArray, rows: int) -> tuple[FloatArray, FloatArray]:
    """Return the expected and the realized metrics of drawn blocks with `rows` rows of the reference's distribution."""
    random = np.random.default_rng(0)
    drawn = random.multinomial(rows, (pool / pool.sum()).ravel(), size=DRAWS).reshape(-1, *pool.shape)
    return metrics_of(drawn, drawn * chances), metrics_of(drawn, random.binomial(drawn, chances))
