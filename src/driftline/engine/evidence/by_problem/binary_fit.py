"""Fits the evidence of a binary model on its reference. No I/O here."""

from collections.abc import Sequence

import numpy as np

from driftline.engine.evidence.by_problem.binary_evidence import FittedBinaryEvidence
from driftline.engine.evidence.metrics.bin_metrics import metrics_of
from driftline.engine.evidence.metrics.block_metrics import (
    LARGEST_DRAW,
    MINIMUM_BLOCK_ROWS,
    MINIMUM_BLOCKS,
    BlockMetrics,
    blocks,
    metrics_of_draws,
)
from driftline.engine.evidence.metrics.indifference import fit_indifference
from driftline.engine.evidence.no_evidence import NoEvidence, days_show_metrics, too_few_chunks
from driftline.engine.evidence.reference_chunks import chunks_of_rows, renumbered, rows_of_a_day
from driftline.engine.evidence.scores.residuals import Residuals
from driftline.engine.evidence.scores.score_bins import LABELS, ScoreBins
from driftline.engine.evidence.scores.score_counts import ScoreCounts, rows_of
from driftline.engine.evidence.scores.score_grid import CELLS, ScoreGrid
from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray
from driftline.engine.performance.binary.rows import MISSING

MINIMUM_CLASS_LABELS = 20
"""With fewer labelled rows of a class in the reference there is no evidence."""


def fit_evidence(
    scores: FloatArray,
    predictions: FloatArray,
    labels: FloatArray,
    sizes: Sequence[int],
    days: Sequence[int] | None = None,
) -> FittedBinaryEvidence | NoEvidence:
    """Fit on the reference's rows in time order; NaN is missing, `sizes` are the numbers of rows of its chunks, `days`
    their days (`fit_indifference`).

    Return the reason where the reference is too small: too few labels of a class, or rows in fewer than four chunks.
    """
    usable = np.isfinite(scores) & np.isfinite(predictions)
    if not usable.any():
        return NoEvidence("The reference has no row with a score and a prediction; give the column of the scores.")
    if lacking := _lacking_labels(labels[usable]):
        return lacking
    of_rows = chunks_of_rows(sizes)[usable]
    scores, chunks = scores[usable], renumbered(of_rows)
    number = int(chunks[-1]) + 1
    if number < MINIMUM_BLOCKS:
        return too_few_chunks(number, MINIMUM_BLOCKS)
    labelled = np.where(np.isfinite(labels), labels, MISSING)[usable].astype(np.int64)
    codes = predictions[usable].astype(np.int64) * LABELS + labelled
    grid = ScoreGrid.of(scores)
    cells = grid.cells(scores)
    by_cell = np.bincount(labelled * CELLS + cells, minlength=LABELS * CELLS).reshape(LABELS, CELLS)
    bins = ScoreBins.fit(grid, by_cell)
    of_chunks = None if days is None else np.asarray(days)[np.unique(of_rows)]
    return fit_on_counts(bins, bins.counts_of_chunks(cells, codes, chunks, number), len(sizes), of_chunks)


def fit_on_counts(
    bins: ScoreBins, counts: ScoreCounts, chunks: int, days: IntArray | None = None
) -> FittedBinaryEvidence:
    """Fit on the counts of the reference's chunks with rows, oldest first; `chunks` is the number of all its chunks."""
    has_labels = rows_of(counts.labelled) > 0
    labelled, labelled_days = counts[has_labels], None if days is None else days[has_labels]
    residuals = Residuals.of(bins, labelled.labelled, labelled.positives)
    pool = counts.scored.sum(0)
    block_rows = max(MINIMUM_BLOCK_ROWS, rows_of_a_day(rows_of(counts.scored), days))
    expected, realized = _block_metrics(bins, counts, block_rows) if days_show_metrics(days) else (None, None)
    return FittedBinaryEvidence(
        bins=bins,
        share=fit_indifference(residuals.shift, residuals.shift_variance, labelled_days),
        ranking=fit_indifference(residuals.tilt, residuals.tilt_variance, labelled_days),
        expected=expected,
        realized=realized,
        pool=pool,
        chunk_rows=float(pool.sum() / chunks),
        block_rows=block_rows,
    )


def _lacking_labels(labels: FloatArray) -> NoEvidence | None:
    """Return the reason that a class has too few labels; None where both have enough."""
    fewest = min(int(np.sum(labels == 0)), int(np.sum(labels == 1)))
    if fewest >= MINIMUM_CLASS_LABELS:
        return None
    return NoEvidence(
        f"The rarer class has {fewest} label{'' if fewest == 1 else 's'} in the reference, and {MINIMUM_CLASS_LABELS} "
        "are needed; give a longer reference."
    )


def _block_metrics(
    bins: ScoreBins, counts: ScoreCounts, block_rows: float
) -> tuple[BlockMetrics | None, BlockMetrics | None]:
    """Return the means and variances of the expected and of the realized metrics of blocks of this many rows."""
    complete = dict(blocks(counts.scored, bins.chances, block_rows))
    if len(complete) < MINIMUM_BLOCKS:
        return None, None
    scored = np.stack([*complete.values()])
    rows = min(int(rows_of(scored).mean()), LARGEST_DRAW)
    draws_expected, draws_realized = metrics_of_draws(counts.scored.sum(0), bins.chances, rows)
    expected = _fit(metrics_of(scored, scored * bins.chances), draws_expected, rows, scored)
    ends = [position for position, _ in blocks(counts.labelled, bins.chances, block_rows)]
    labelled, positives = (_sums_until(part, ends) for part in (counts.labelled, counts.positives))
    return expected, _fit(metrics_of(labelled, positives), draws_realized, rows, labelled)


def _sums_until(counts: IntArray, ends: Sequence[int]) -> IntArray:
    """Return the sums of chunks from one end to the next."""
    sums = counts.cumsum(0)[list(ends)]
    return np.diff(sums, axis=0, prepend=np.zeros_like(sums[:1]))


def _fit(values: FloatArray, draws: FloatArray, drawn_rows: int, counts: IntArray) -> BlockMetrics | None:
    defined: BoolArray = np.isfinite(values.sum(axis=-1))
    if int(defined.sum()) < MINIMUM_BLOCKS:
        return None
    return BlockMetrics.fit(values[defined], draws, drawn_rows, float(rows_of(counts).mean()))
