"""Fits the evidence of a regression on its reference. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from driftline.engine.evidence.by_problem.regression_evidence import FittedRegressionEvidence
from driftline.engine.evidence.metrics.block_metrics import MINIMUM_BLOCK_ROWS, MINIMUM_BLOCKS
from driftline.engine.evidence.metrics.expected_loss import ExpectedLoss, blocks_of
from driftline.engine.evidence.metrics.indifference import fit_indifference
from driftline.engine.evidence.metrics.residual_tilts import TiltDirection, bounded
from driftline.engine.evidence.no_evidence import NoEvidence, days_show_metrics, too_few_chunks
from driftline.engine.evidence.reference_chunks import chunks_of_rows, renumbered, rows_of_a_day
from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.performance.regression.losses import Loss
from driftline.engine.performance.regression.outputs import Outputs
from driftline.engine.performance.regression.residual_bins import ResidualBins, residuals_of

MINIMUM_ROWS = 100
"""With fewer labelled rows in the reference there is no evidence."""
ExpectedLosses = tuple[Loss, FloatArray]
"""A loss, and its expected value for each row; NaN if it has none."""


def fit_evidence(
    bins: ResidualBins,
    outputs: Outputs,
    sizes: Sequence[int],
    expected: ExpectedLosses | None = None,
    days: Sequence[int] | None = None,
) -> FittedRegressionEvidence | NoEvidence:
    """Fit on the reference's rows in time order; `sizes` are the numbers of rows of its chunks,
    and `days` their days (`fit_indifference`).

    Return the reason where the reference is too small: fewer than 100 labelled rows, rows in fewer than four chunks, or
    residuals that are all equal.
    """
    complete = outputs.predicted & outputs.labelled
    residuals = residuals_of(outputs)
    if len(residuals) < MINIMUM_ROWS:
        return too_few_rows(len(residuals))
    chunks = chunks_of_rows(sizes)
    of_residuals = renumbered(chunks[complete])
    number = int(of_residuals[-1]) + 1
    if number < MINIMUM_BLOCKS:
        return too_few_chunks(number, MINIMUM_BLOCKS)
    in_bin = bins.bins_of(residuals)
    counts = np.bincount(of_residuals * bins.count + in_bin, minlength=number * bins.count).reshape(number, bins.count)
    by_bin = counts.sum(0)
    means, absolute = (np.bincount(in_bin, values, bins.count) / by_bin for values in (residuals, np.abs(residuals)))
    expected_loss = None if expected is None else _expected_loss(*expected, chunks, days)
    deviation = float(np.abs(residuals).std())
    of_chunks = None if days is None else np.asarray(days)[np.unique(chunks[complete])]
    values = ResidualValues(means, absolute, deviation)
    return fit_on_counts(values, counts, expected_loss, len(chunks) / len(sizes), of_chunks)


def too_few_rows(rows: int) -> NoEvidence:
    """Return the reason that the reference has too few labelled rows."""
    return NoEvidence(
        f"The reference has {rows} rows with prediction and label, and {MINIMUM_ROWS} are needed; give a longer one."
    )


@dataclass(frozen=True, slots=True, eq=False)
class ResidualValues:
    """The mean residual, and the mean absolute one, of each bin; the standard deviation of an absolute residual."""

    residuals: FloatArray
    absolute: FloatArray
    absolute_deviation: float


def fit_on_counts(
    values: ResidualValues,
    counts: IntArray,
    expected: ExpectedLoss | None,
    chunk_rows: float,
    days: IntArray | None = None,
) -> FittedRegressionEvidence | NoEvidence:
    """Fit on the residuals of the reference's chunks, counted by bin; no evidence where all residuals are equal."""
    by_bin = counts.sum(0)
    probabilities = by_bin / by_bin.sum()
    mean_direction = TiltDirection.of(bounded(values.residuals, probabilities), probabilities)
    size_direction = TiltDirection.of(bounded(values.absolute, probabilities), probabilities)
    if mean_direction is None or size_direction is None:
        return NoEvidence("All residuals of the reference are equal; check that predictions are not the labels.")
    return FittedRegressionEvidence(
        mean_direction=mean_direction,
        size_direction=size_direction,
        mean_indifference=fit_indifference(*mean_direction.statistics(counts), days),
        size_indifference=fit_indifference(*size_direction.statistics(counts), days),
        residuals=values.residuals,
        absolute=values.absolute,
        mean_residual=float(probabilities @ values.residuals),
        mean_absolute=float(probabilities @ values.absolute),
        absolute_deviation=values.absolute_deviation,
        expected=expected if days_show_metrics(days) else None,
        chunk_rows=chunk_rows,
    )


def _expected_loss(loss: Loss, losses: FloatArray, chunks: IntArray, days: Sequence[int] | None) -> ExpectedLoss | None:
    """Fit the expected loss over blocks of the reference's chunks."""
    defined = np.isfinite(losses)
    if not defined.any():
        return None
    present = np.unique(chunks[defined])
    of_chunk, losses = renumbered(chunks[defined]), losses[defined]
    sizes, totals = (np.bincount(of_chunk, values).astype(np.float64) for values in (np.ones_like(losses), losses))
    block_rows = max(MINIMUM_BLOCK_ROWS, rows_of_a_day(sizes, None if days is None else np.asarray(days)[present]))
    _, rows, totals, _, _ = blocks_of(sizes, totals, block_rows)
    return ExpectedLoss.fit(loss, rows, totals, float(losses.var()), block_rows)
