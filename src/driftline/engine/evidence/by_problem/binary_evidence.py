"""The evidence of a binary model: its fitted state, and the evidence of chunks. No I/O here."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from driftline.engine.evidence.families import BINARY, ComponentTable, Family, Stage
from driftline.engine.evidence.fitted import FittedModelEvidence
from driftline.engine.evidence.metrics import expected_metrics, ranking, realized_metrics, share
from driftline.engine.evidence.metrics.bin_metrics import MARGINS, metrics_of
from driftline.engine.evidence.metrics.block_metrics import MINIMUM_BLOCK_ROWS, BlockMetrics, blocks
from driftline.engine.evidence.metrics.indifference import IndifferenceZone
from driftline.engine.evidence.metrics.no_skill import no_skill
from driftline.engine.evidence.scores.score_bins import ScoreBins
from driftline.engine.evidence.scores.score_counts import ScoreCounts, rows_of
from driftline.engine.evidence.stage_evidence import StageEvidence, largest, values_of
from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class FittedBinaryEvidence(FittedModelEvidence[ScoreCounts]):
    """The state of a binary model; `expected` and `realized` are None where the reference has too few blocks of rows.

    `pool` are the reference's counts of scored rows, shape (2, bins); `chunk_rows` is the mean size of its chunks, and
    `block_rows` the smallest size of a block.
    """

    counts_type: ClassVar[type[ScoreCounts]] = ScoreCounts
    bins: ScoreBins
    share: IndifferenceZone
    ranking: IndifferenceZone
    expected: BlockMetrics | None
    realized: BlockMetrics | None
    pool: IntArray
    chunk_rows: float
    block_rows: float = MINIMUM_BLOCK_ROWS

    @property
    def components(self) -> ComponentTable:
        """The components of the detector."""
        return BINARY

    @property
    def usable(self) -> BoolArray:
        """A mask of the components that the reference allows."""
        missing = {Family.EXPECTED: self.expected, Family.REALIZED: self.realized}
        return np.array([missing.get(family, True) is not None for family in BINARY.families])

    @property
    def roc_auc(self) -> float:
        """The ROC AUC of the reference: the mean of its blocks or, with few blocks, the one expected from scores."""
        if self.realized:
            return float(self.realized.mean[0])
        return float(metrics_of(self.pool, self.pool * self.bins.chances)[0])

    def empty_counts(self) -> ScoreCounts:
        """Return the counts of no rows."""
        return ScoreCounts.empty(self.bins.count)

    def evidence(self, stage: Stage, counts: ScoreCounts, open_block: ScoreCounts, weekdays: IntArray) -> StageEvidence:
        """Return the evidence of chunks at a stage (`FittedModelEvidence.evidence`)."""
        if stage is Stage.SCORES:
            return self._score_evidence(counts, open_block)
        return self._label_evidence(counts, open_block, weekdays)

    def no_skill(self, counts: ScoreCounts, values: FloatArray) -> float | None:
        """Return the ROC AUC of a chunk's labelled rows if it is not distinguishable from 0.5, else None."""
        rows, roc_auc, _ = values[BINARY.columns(Family.RANKING).start]
        return no_skill(self.roc_auc, counts, float(roc_auc / rows)) if rows else None

    def _score_evidence(self, counts: ScoreCounts, open_block: ScoreCounts) -> StageEvidence:
        chances, evidence = self.bins.chances, StageEvidence.empty(len(counts.scored), BINARY.count)
        ends, complete = self._blocks(evidence, counts, counts.scored, open_block.scored, open_block)
        if self.expected and ends:
            family, reference = BINARY.columns(Family.EXPECTED), self.expected
            evidence.log_evidence[ends, family] = expected_metrics.log_evidence(reference, chances, complete.scored)
            metrics = metrics_of(complete.scored, complete.scored * chances)
            evidence.values[ends, family] = values_of(rows_of(complete.scored)[:, None], metrics, reference.mean)
            evidence.harm[ends] = largest((reference.mean - metrics) / MARGINS)
        return evidence

    def _label_evidence(self, counts: ScoreCounts, open_block: ScoreCounts, weekdays: IntArray) -> StageEvidence:
        """Return the evidence of labelled rows: share, ranking, and at the end of each block realized metrics."""
        evidence = StageEvidence.empty(len(counts.labelled), BINARY.count)
        bins, rows = self.bins, rows_of(counts.labelled)[:, None]
        shifts, tilts = self.share.usual(weekdays), self.ranking.usual(weekdays)
        of_share, of_ranking = BINARY.columns(Family.SHARE), BINARY.columns(Family.RANKING)
        evidence.log_evidence[:, of_share] = share.log_evidence(bins, self.share, counts, shifts)
        evidence.log_evidence[:, of_ranking] = ranking.log_evidence(bins, self.ranking, counts, shifts, tilts)
        positives = counts.labelled * bins.moved(shifts, tilts)[:, None]
        shares = [rows_of(part)[:, None] / np.maximum(rows, 1) for part in (counts.positives, positives)]
        evidence.values[:, of_share] = values_of(rows, *shares)
        realized, expected = metrics_of(counts.labelled, counts.positives), metrics_of(counts.labelled, positives)
        evidence.values[:, of_ranking] = values_of(rows, realized[:, :1], expected[:, :1])
        ends, complete = self._blocks(evidence, counts, counts.labelled, open_block.labelled, open_block)
        if self.realized and ends:
            family, reference = BINARY.columns(Family.REALIZED), self.realized
            evidence.log_evidence[ends, family] = realized_metrics.log_evidence(reference, complete)
            metrics = metrics_of(complete.labelled, complete.positives)
            block_values = values_of(rows_of(complete.labelled)[:, None], metrics, reference.mean)
            evidence.values[ends, family] = np.tile(block_values, (1, 2, 1))
            evidence.harm[ends] = self._estimated_harm(reference, complete, metrics)
        return evidence

    def _estimated_harm(self, reference: BlockMetrics, counts: ScoreCounts, realized: FloatArray) -> FloatArray:
        """Return the drop expected from the scores plus the labels' difference from it, shrunk by sampling variance."""
        expected = metrics_of(counts.labelled, counts.labelled * self.bins.chances)
        usual = self.expected.mean if self.expected else reference.mean
        trust = MARGINS**2 / (MARGINS**2 + reference.sampling / rows_of(counts.labelled)[:, None])
        return largest(((usual - expected) + (expected - realized) * trust) / MARGINS)

    def _blocks(
        self,
        evidence: StageEvidence,
        counts: ScoreCounts,
        rows: IntArray,
        open_rows: IntArray,
        open_block: ScoreCounts,
    ) -> tuple[list[int], ScoreCounts]:
        """Return the last positions and the counts of complete blocks; store the open block after each chunk."""
        ends = [position for position, _ in blocks(rows, self.bins.chances, self.block_rows, open_rows)]
        complete: list[ScoreCounts] = []
        total = open_block
        empty, last = self.empty_counts(), set(ends)
        for position in range(len(rows)):
            total = total.merge(counts[position])
            if position in last:
                complete.append(total)
                total = empty
            evidence.open_blocks.append(total)
        return ends, ScoreCounts.stack(complete) if complete else counts[:0]

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {
            "bins": self.bins.to_dict(),
            "share": self.share.to_dict(),
            "ranking": self.ranking.to_dict(),
            "expected": self.expected.to_dict() if self.expected else None,
            "realized": self.realized.to_dict() if self.realized else None,
            "pool": self.pool.tolist(),
            "chunk_rows": self.chunk_rows,
            "block_rows": self.block_rows,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        expected, realized = (
            BlockMetrics.from_dict(stored[name]) if stored[name] else None for name in ("expected", "realized")
        )
        return cls(
            ScoreBins.from_dict(stored["bins"]),
            IndifferenceZone.from_dict(stored["share"]),
            IndifferenceZone.from_dict(stored["ranking"]),
            expected,
            realized,
            np.asarray(stored["pool"], dtype=np.int64),
            stored["chunk_rows"],
            stored.get("block_rows", MINIMUM_BLOCK_ROWS),
        )
