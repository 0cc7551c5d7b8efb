"""The evidence of chunks at one stage: log e-values, observed and usual values, by component. No I/O here."""

from dataclasses import dataclass

import numpy as np

from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.evidence import expected_metrics, ranking, realized_metrics, share
from driftline.engine.evidence.bin_metrics import MARGINS, metrics_of
from driftline.engine.evidence.block_metrics import BlockMetrics, blocks
from driftline.engine.evidence.families import COUNT, Family, columns
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.score_counts import ScoreCounts, rows_of


@dataclass(frozen=True, slots=True, eq=False)
class StageEvidence:
    """Evidence by chunk: log e-values of shape (chunks, components), 0 for components of the other stage.

    `values` of shape (chunks, components, 3) are the number of rows, and that times the observed and the usual value.
    `harm` is the largest estimated drop of a metric by chunk, in margins; NaN within a block. `open_blocks` are, after
    each chunk, the counts of the rows that do not form a complete block yet.
    """

    log_evidence: FloatArray
    values: FloatArray
    harm: FloatArray
    open_blocks: list[ScoreCounts]


def scores_evidence(fitted: FittedEvidence, counts: ScoreCounts, open_block: ScoreCounts) -> StageEvidence:
    """Return the evidence from the scores alone of chunks in time order; `open_block` precedes them."""
    evidence, values, harm = _empty_evidence(len(counts.scored))
    ends, complete, open_blocks = _blocks(counts, counts.scored, open_block.scored, open_block, fitted.bins.chances)
    if fitted.expected and ends:
        family, state, chances = columns(Family.EXPECTED), fitted.expected, fitted.bins.chances
        evidence[ends, family] = expected_metrics.log_evidence(state, chances, complete.scored)
        metrics = metrics_of(complete.scored, complete.scored * chances)
        values[ends, family] = _values(rows_of(complete.scored)[:, None], metrics, state.mean)
        harm[ends] = _largest((state.mean - metrics) / MARGINS)
    return StageEvidence(evidence, values, harm, open_blocks)


def labels_evidence(fitted: FittedEvidence, counts: ScoreCounts, open_block: ScoreCounts) -> StageEvidence:
    """Return the evidence from labels of chunks in time order whose labels are in; `open_block` precedes them."""
    evidence, values, harm = _empty_evidence(len(counts.labelled))
    bins, rows = fitted.bins, rows_of(counts.labelled)[:, None]
    evidence[:, columns(Family.SHARE)] = share.log_evidence(bins, fitted.share, counts)
    evidence[:, columns(Family.RANKING)] = ranking.log_evidence(bins, fitted.ranking, counts)
    expected_positives = counts.labelled * bins.chances
    shares = [rows_of(part)[:, None] / np.maximum(rows, 1) for part in (counts.positives, expected_positives)]
    values[:, columns(Family.SHARE)] = _values(rows, *shares)
    realized, expected = metrics_of(counts.labelled, counts.positives), metrics_of(counts.labelled, expected_positives)
    values[:, columns(Family.RANKING)] = _values(rows, realized[:, :1], expected[:, :1])
    ends, complete, open_blocks = _blocks(counts, counts.labelled, open_block.labelled, open_block, bins.chances)
    if fitted.realized and ends:
        family, state = columns(Family.REALIZED), fitted.realized
        evidence[ends, family] = realized_metrics.log_evidence(state, complete)
        metrics = metrics_of(complete.labelled, complete.positives)
        values[ends, family] = np.tile(_values(rows_of(complete.labelled)[:, None], metrics, state.mean), (1, 2, 1))
        harm[ends] = _estimated_harm(fitted, state, complete, metrics)
    return StageEvidence(evidence, values, harm, open_blocks)


def _empty_evidence(chunks: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    return np.zeros((chunks, COUNT)), np.zeros((chunks, COUNT, 3)), np.full(chunks, np.nan)


def _values(rows: FloatArray, observed: FloatArray, usual: FloatArray) -> FloatArray:
    """Return the rows, and the rows times both values, on a last axis; 0 rows where a value is undefined."""
    observed, usual = np.broadcast_arrays(observed, usual)
    counted = np.where(np.isfinite(observed + usual), rows, 0.0)
    return np.stack([counted, counted * np.nan_to_num(observed), counted * np.nan_to_num(usual)], axis=-1)


def _estimated_harm(
    fitted: FittedEvidence, state: BlockMetrics, counts: ScoreCounts, realized: FloatArray
) -> FloatArray:
    """Return the drop expected from the scores plus the labels' difference from it, shrunk by sampling variance."""
    expected = metrics_of(counts.labelled, counts.labelled * fitted.bins.chances)
    usual = fitted.expected.mean if fitted.expected else state.mean
    trust = MARGINS**2 / (MARGINS**2 + state.sampling / rows_of(counts.labelled)[:, None])
    return _largest(((usual - expected) + (expected - realized) * trust) / MARGINS)


def _largest(drops: FloatArray) -> FloatArray:
    largest: FloatArray = np.nan_to_num(drops, nan=-np.inf).max(axis=-1)
    return largest


def _blocks(
    counts: ScoreCounts, rows: IntArray, open_rows: IntArray, open_block: ScoreCounts, chances: FloatArray
) -> tuple[list[int], ScoreCounts, list[ScoreCounts]]:
    """Return the last positions and the counts of complete blocks, and the open block after each chunk."""
    ends = [position for position, _ in blocks(rows, chances, open_rows)]
    complete: list[ScoreCounts] = []
    open_blocks: list[ScoreCounts] = []
    total = open_block
    empty, last = ScoreCounts.empty(len(chances)), set(ends)
    for position in range(len(rows)):
        total = total.merge(counts[position])
        if position in last:
            complete.append(total)
            total = empty
        open_blocks.append(total)
    return ends, ScoreCounts.stack(complete) if complete else counts[:0], open_blocks
