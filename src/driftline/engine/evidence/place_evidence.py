"""The evidence of chunks at one place: log e-values, and what was observed and is usual, by component. No I/O here."""

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
class PlaceEvidence:
    """Evidence by chunk: log e-values of shape (chunks, components), 0 for components of the other place.

    `values` of shape (chunks, components, 3) are rows, and rows times the observed and the usual value. `harm` is the
    largest estimated drop of a metric by chunk, in margins; NaN within a block. `open_blocks` are, after each chunk,
    the counts of the rows that are no whole block yet.
    """

    log_evidence: FloatArray
    values: FloatArray
    harm: FloatArray
    open_blocks: list[ScoreCounts]


def scores_evidence(fitted: FittedEvidence, counts: ScoreCounts, open_block: ScoreCounts) -> PlaceEvidence:
    """Return the evidence of the scores alone, of chunks in the order of time, after an open block."""
    evidence, values, harm = _nothing(len(counts.scored))
    ends, whole, opened = _blocks(counts, counts.scored, open_block.scored, open_block, fitted.bins.chances)
    if fitted.expected and ends:
        family, state, chances = columns(Family.EXPECTED), fitted.expected, fitted.bins.chances
        evidence[ends, family] = expected_metrics.log_evidence(state, chances, whole.scored)
        metrics = metrics_of(whole.scored, whole.scored * chances)
        values[ends, family] = _values(rows_of(whole.scored)[:, None], metrics, state.mean)
        harm[ends] = _largest((state.mean - metrics) / MARGINS)
    return PlaceEvidence(evidence, values, harm, opened)


def labels_evidence(fitted: FittedEvidence, counts: ScoreCounts, open_block: ScoreCounts) -> PlaceEvidence:
    """Return the evidence of labels, of chunks whose labels are in, in the order of time, after an open block."""
    evidence, values, harm = _nothing(len(counts.labelled))
    bins, rows = fitted.bins, rows_of(counts.labelled)[:, None]
    evidence[:, columns(Family.SHARE)] = share.log_evidence(bins, fitted.share, counts)
    evidence[:, columns(Family.RANKING)] = ranking.log_evidence(bins, fitted.ranking, counts)
    promised = counts.labelled * bins.chances
    shares = [rows_of(part)[:, None] / np.maximum(rows, 1) for part in (counts.positives, promised)]
    values[:, columns(Family.SHARE)] = _values(rows, *shares)
    realized, expected = metrics_of(counts.labelled, counts.positives), metrics_of(counts.labelled, promised)
    values[:, columns(Family.RANKING)] = _values(rows, realized[:, :1], expected[:, :1])
    ends, whole, opened = _blocks(counts, counts.labelled, open_block.labelled, open_block, bins.chances)
    if fitted.realized and ends:
        family, state = columns(Family.REALIZED), fitted.realized
        evidence[ends, family] = realized_metrics.log_evidence(state, whole)
        metrics = metrics_of(whole.labelled, whole.positives)
        values[ends, family] = np.tile(_values(rows_of(whole.labelled)[:, None], metrics, state.mean), (1, 2, 1))
        harm[ends] = _estimated_harm(fitted, state, whole, metrics)
    return PlaceEvidence(evidence, values, harm, opened)


def _nothing(chunks: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    return np.zeros((chunks, COUNT)), np.zeros((chunks, COUNT, 3)), np.full(chunks, np.nan)


def _values(rows: FloatArray, observed: FloatArray, usual: FloatArray) -> FloatArray:
    """Return rows and rows times both values, on a last axis; no rows where a value is undefined."""
    observed, usual = np.broadcast_arrays(observed, usual)
    counted = np.where(np.isfinite(observed + usual), rows, 0.0)
    return np.stack([counted, counted * np.nan_to_num(observed), counted * np.nan_to_num(usual)], axis=-1)


def _estimated_harm(
    fitted: FittedEvidence, state: BlockMetrics, counts: ScoreCounts, realized: FloatArray
) -> FloatArray:
    """Return the drop expected of the scores and what labels add to it, shrunk by their sampling variance."""
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
    """Return the last chunks of whole blocks, the blocks' counts, and the open block after each chunk."""
    ends = [place for place, _ in blocks(rows, chances, open_rows)]
    whole: list[ScoreCounts] = []
    opened: list[ScoreCounts] = []
    total = open_block
    nothing, last = ScoreCounts.empty(len(chances)), set(ends)
    for place in range(len(rows)):
        total = total.merge(counts[place])
        if place in last:
            whole.append(total)
            total = nothing
        opened.append(total)
    return ends, ScoreCounts.stack(whole) if whole else counts[:0], opened
