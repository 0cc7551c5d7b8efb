"""The evidence of a regression: its fitted state, and the evidence of chunks. No I/O here."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from driftline.engine.evidence.families import REGRESSION, ComponentTable, Family, Stage
from driftline.engine.evidence.fitted import FittedModelEvidence
from driftline.engine.evidence.metrics.block_metrics import MINIMUM_BLOCK_ROWS
from driftline.engine.evidence.metrics.expected_loss import MARGIN, ExpectedLoss, blocks_of
from driftline.engine.evidence.metrics.indifference import IndifferenceZone
from driftline.engine.evidence.metrics.residual_counts import (
    ABSOLUTE,
    EXPECTED,
    EXPECTED_ROWS,
    RESIDUALS,
    ROWS,
    ResidualCounts,
)
from driftline.engine.evidence.metrics.residual_tilts import TiltDirection, log_evidence
from driftline.engine.evidence.stage_evidence import StageEvidence, values_of
from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray
from driftline.engine.performance.regression.loss_summary import LossSummary

_MEAN, _SIZE, _EXPECTED = (
    REGRESSION.columns(family) for family in (Family.MEAN_RESIDUAL, Family.RESIDUAL_SIZE, Family.EXPECTED_LOSS)
)


@dataclass(frozen=True, slots=True, eq=False)
class FittedRegressionEvidence(FittedModelEvidence[ResidualCounts]):
    """The directions in which the distribution of residuals may tilt, their zones, and the usual values.

    `residuals` and `absolute` are the mean residual, and the mean absolute one, of each bin in the reference, in the
    unit of the label; `mean_residual`, `mean_absolute` and `absolute_deviation` are those of all rows, and the standard
    deviation of an absolute residual. `expected` is None where the reference has too few blocks, or no expected losses.
    """

    counts_type: ClassVar[type[ResidualCounts]] = ResidualCounts
    mean_direction: TiltDirection
    size_direction: TiltDirection
    mean_indifference: IndifferenceZone
    size_indifference: IndifferenceZone
    residuals: FloatArray
    absolute: FloatArray
    mean_residual: float
    mean_absolute: float
    absolute_deviation: float
    expected: ExpectedLoss | None
    chunk_rows: float

    @property
    def components(self) -> ComponentTable:
        """The components of the detector."""
        return REGRESSION

    @property
    def usable(self) -> BoolArray:
        """A mask of the components that the reference allows."""
        usable = np.ones(REGRESSION.count, dtype=bool)
        usable[_EXPECTED] = self.expected is not None
        return usable

    def empty_counts(self) -> ResidualCounts:
        """Return the counts of no rows."""
        return ResidualCounts.empty(len(self.residuals))

    def counts(self, summary: LossSummary) -> ResidualCounts | None:
        """Return the counts of a chunk; None if its residuals were not counted."""
        if summary.residuals is None:
            return None
        residuals = summary.residuals
        losses = None if self.expected is None else summary.expected.get(self.expected.loss)
        expected = (losses.rows, losses.total.value) if losses else (0, 0.0)
        sums = np.array([summary.rows, residuals.total.value, residuals.absolute.value, *expected], dtype=np.float64)
        return ResidualCounts(residuals.counts, sums)

    def evidence(
        self, stage: Stage, counts: ResidualCounts, open_block: ResidualCounts, weekdays: IntArray
    ) -> StageEvidence:
        """Return the evidence of chunks at a stage (`FittedModelEvidence.evidence`)."""
        if stage is Stage.SCORES:
            return self._score_evidence(counts, open_block)
        return self._label_evidence(counts, open_block, weekdays)

    def no_skill(self, counts: ResidualCounts, values: FloatArray) -> float | None:
        """Return None: a regression has no ROC AUC."""
        return None

    def _score_evidence(self, counts: ResidualCounts, open_block: ResidualCounts) -> StageEvidence:
        """Return the evidence of expected errors, one value at the end of each block of rows."""
        evidence = StageEvidence.empty(len(counts.sums), REGRESSION.count)
        rows, totals = counts.sums[:, EXPECTED_ROWS], counts.sums[:, EXPECTED]
        open_sums = open_block.sums[[EXPECTED_ROWS, EXPECTED]].tolist()
        minimum = self.expected.block_rows if self.expected else MINIMUM_BLOCK_ROWS
        ends, block_rows, block_totals, open_rows, open_totals = blocks_of(rows, totals, minimum, *open_sums)
        evidence.open_blocks.extend(map(self._open_block, open_rows, open_totals))
        if self.expected and ends:
            means = block_totals / block_rows
            evidence.log_evidence[ends, _EXPECTED] = self.expected.log_evidence(block_rows, block_totals)[:, None]
            values = values_of(block_rows[:, None], means[:, None], np.array([self.expected.mean]))
            evidence.values[ends, _EXPECTED] = values
            evidence.harm[ends] = (means / self.expected.mean - 1) / MARGIN
        return evidence

    def _open_block(self, rows: float, total: float) -> ResidualCounts:
        block = self.empty_counts()
        block.sums[[ROWS, EXPECTED_ROWS, EXPECTED]] = rows, rows, total
        return block

    def _label_evidence(self, counts: ResidualCounts, open_block: ResidualCounts, weekdays: IntArray) -> StageEvidence:
        """Return the evidence of residuals: their mean in both directions, and their size."""
        evidence = StageEvidence.empty(len(counts.sums), REGRESSION.count)
        moves, growths = self.mean_indifference.usual(weekdays), self.size_indifference.usual(weekdays)
        of_mean = log_evidence(self.mean_direction, self.mean_indifference, counts.counts, moves, (1, -1))
        of_size = log_evidence(self.size_direction, self.size_indifference, counts.counts, growths, (1,))
        evidence.log_evidence[:, _MEAN] = np.stack(of_mean, axis=-1)
        evidence.log_evidence[:, _SIZE] = np.stack(of_size, axis=-1)
        rows = counts.counts.sum(-1).astype(np.float64)
        row_counts = np.maximum(rows, 1.0)
        residual, absolute = counts.sums[:, RESIDUALS] / row_counts, counts.sums[:, ABSOLUTE] / row_counts
        evidence.values[:, _MEAN] = values_of(rows[:, None], residual[:, None], self._usual(moves))
        evidence.values[:, _SIZE] = values_of(rows[:, None], absolute[:, None], np.array([self.mean_absolute]))
        evidence.harm[:] = np.where(rows > 0, self._estimated_harm(absolute, row_counts), np.nan)
        evidence.open_blocks.extend([open_block] * len(rows))
        return evidence

    def _usual(self, moves: FloatArray) -> FloatArray:
        """Return the usual mean residual of chunks whose residuals usually move so, shape (chunks, 1)."""
        if not moves.any():
            return np.full((len(moves), 1), self.mean_residual)
        return np.array([[float((self.mean_direction.tilted(move) * self.residuals).sum())] for move in moves.tolist()])

    def _estimated_harm(self, absolute: FloatArray, rows: FloatArray) -> FloatArray:
        """Return the rise of the mean absolute error in margins, shrunk by its sampling variance."""
        margin = MARGIN * self.mean_absolute
        trust = margin**2 / (margin**2 + self.absolute_deviation**2 / rows)
        return trust * (absolute - self.mean_absolute) / margin

    def to_dict(self) -> dict[str, Any]:
        """Return the state as JSON-compatible values."""
        return {
            "problem": "regression",
            "probabilities": self.mean_direction.probabilities.tolist(),
            "mean_places": self.mean_direction.places.tolist(),
            "size_places": self.size_direction.places.tolist(),
            "mean_zone": self.mean_indifference.to_dict(),
            "size_zone": self.size_indifference.to_dict(),
            "residuals": self.residuals.tolist(),
            "absolute": self.absolute.tolist(),
            "mean_residual": self.mean_residual,
            "mean_absolute": self.mean_absolute,
            "absolute_deviation": self.absolute_deviation,
            "expected": self.expected.to_dict() if self.expected else None,
            "chunk_rows": self.chunk_rows,
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        probabilities = np.asarray(stored["probabilities"])
        return cls(
            TiltDirection(np.asarray(stored["mean_places"]), probabilities),
            TiltDirection(np.asarray(stored["size_places"]), probabilities),
            IndifferenceZone.from_dict(stored["mean_zone"]),
            IndifferenceZone.from_dict(stored["size_zone"]),
            np.asarray(stored["residuals"]),
            np.asarray(stored["absolute"]),
            stored["mean_residual"],
            stored["mean_absolute"],
            stored["absolute_deviation"],
            ExpectedLoss.from_dict(stored["expected"]) if stored["expected"] else None,
            stored["chunk_rows"],
        )
