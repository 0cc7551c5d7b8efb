"""References and streams of residuals with heavy tails, drawn for the tests of a regression's evidence."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from driftline.engine.evidence.by_problem.regression_evidence import FittedRegressionEvidence
from driftline.engine.evidence.by_problem.regression_fit import ResidualValues, fit_evidence, fit_on_counts
from driftline.engine.evidence.metrics.block_metrics import MINIMUM_BLOCK_ROWS
from driftline.engine.evidence.metrics.expected_loss import ExpectedLoss, blocks_of
from driftline.engine.evidence.metrics.residual_counts import ResidualCounts
from driftline.engine.performance.regression.losses import Loss
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.performance.regression.residual_bins import ResidualBins

FREEDOM = 3
"""Student's t with so few degrees of freedom has no fourth moment."""
_RESIDUALS = np.random.default_rng(0).standard_t(FREEDOM, 50_000)
BINS = ResidualBins.fit(Outputs(_RESIDUALS, np.zeros(len(_RESIDUALS))))
assert BINS is not None
EXPECTED, DEVIATION, BETWEEN = 1.0, 0.5, 0.02
"""The mean expected loss, its standard deviation between rows, and between chunks."""


def reference(chunks: int = 21, size: int = 950, seed: int = 0) -> FittedRegressionEvidence:
    """Fit a reference on single rows."""
    random = np.random.default_rng(seed)
    residuals, expected = random.standard_t(FREEDOM, chunks * size), random.normal(EXPECTED, DEVIATION, chunks * size)
    bins, outputs = BINS, Outputs(residuals, np.zeros(len(residuals)))
    assert bins is not None
    fitted = fit_evidence(bins, outputs, [size] * chunks, (Loss.ABSOLUTE, expected))
    assert isinstance(fitted, FittedRegressionEvidence)
    return fitted


def drawn(
    random: np.random.Generator,
    chunks: int,
    size: int,
    *,
    shift: NDArray[np.float64] | float = 0.0,
    growth: NDArray[np.float64] | float = 0.0,
    rise: float = 0.0,
    spread: float = 0.0,
) -> ResidualCounts:
    """Draw the counts of chunks: residuals are shifted, their log size grows, expected losses rise.

    `spread` is the standard deviation between chunks of the first two.
    """
    assert BINS is not None
    shifts = np.broadcast_to(shift, chunks) + random.normal(0, spread, chunks)
    sizes = np.exp(np.broadcast_to(growth, chunks) + random.normal(0, spread / 2, chunks))
    below = student.cdf((BINS.edges - shifts[:, None]) / sizes[:, None], FREEDOM)
    chances = np.diff(below, axis=1, prepend=0.0, append=1.0)
    counts = random.multinomial(size, chances)
    usual = random.normal(EXPECTED + rise, BETWEEN if spread else 0.0, chunks)
    totals = random.normal(size * usual, DEVIATION * np.sqrt(size))
    sums = np.stack([np.full(chunks, size), size * shifts, size * sizes, np.full(chunks, size), totals], axis=-1)
    return ResidualCounts(counts, sums.astype(np.float64))


def redrawn(random: np.random.Generator, chunks: int, size: int, spread: float = 0.0) -> FittedRegressionEvidence:
    """Fit a new reference of this many chunks on the same bins, whose residuals vary between chunks by `spread`."""
    base, counts = reference(4, 250), drawn(random, chunks, size, spread=spread)
    _, rows, totals, _, _ = blocks_of(counts.sums[:, 3], counts.sums[:, 4], MINIMUM_BLOCK_ROWS)
    expected = ExpectedLoss.fit(Loss.ABSOLUTE, rows, totals, DEVIATION**2)
    values = ResidualValues(base.residuals, base.absolute, base.absolute_deviation)
    fitted = fit_on_counts(values, counts.counts, expected, size)
    assert isinstance(fitted, FittedRegressionEvidence)
    return fitted
