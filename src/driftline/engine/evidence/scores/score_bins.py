"""Bins of calibrated score, fitted on the reference, and the probability of class 1 in each. No I/O here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from scipy.special import expit, logit

from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.evidence.scores.score_grid import ScoreGrid
from driftline.engine.evidence.scores.spline_calibration import SplineCalibration
from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.performance.binary.rows import MISSING, BinaryRows

BINS = 64
LABELS = MISSING + 1
"""The number of label codes: 0, 1, and missing."""
SMALLEST_CHANCE = 1e-4
"""Probabilities of bins are at least this far from 0 and 1, or at least a hundredth of the rarer class's share."""


@dataclass(frozen=True, eq=False)
class ScoreBins:
    """The grid, the calibration, the edges between bins (calibrated log-odds), and the values of each bin.

    `chances` are the bins' calibrated probabilities of class 1; `scaled_log_odds` are their log-odds, scaled to mean 0
    and standard deviation 1 with weights chance * (1 - chance).
    """

    grid: ScoreGrid
    calibration: SplineCalibration
    edges: FloatArray
    chances: FloatArray
    scaled_log_odds: FloatArray

    @classmethod
    def fit(cls, grid: ScoreGrid, by_cell: IntArray) -> Self:
        """Fit on the reference's rows by label (0, 1, missing) and cell of the grid; both classes must have rows."""
        labelled, positives = by_cell[:2].sum(0).astype(np.float64), by_cell[1].astype(np.float64)
        rows = by_cell.sum(0).astype(np.float64)
        share = positives.sum() / labelled.sum()
        smallest = min(SMALLEST_CHANCE, min(share, 1 - share) / 100)
        calibration = SplineCalibration.fit(grid.centers, labelled, positives, float(-logit(smallest)))
        log_odds = calibration(grid.centers)
        edges = _edges(log_odds, rows)
        bins = np.searchsorted(edges, log_odds, side="right")
        count = np.bincount(bins, rows, len(edges) + 1)
        sums = np.bincount(bins, rows * expit(log_odds), len(edges) + 1)
        chances = np.clip(sums / count, smallest, 1 - smallest)
        return cls(grid, calibration, edges, chances, _scaled(log_odds, rows, chances))

    @property
    def count(self) -> int:
        """The number of bins: 64, or fewer where the reference has fewer distinct scores."""
        return len(self.chances)

    @cached_property
    def bin_of_cell(self) -> IntArray:
        """The bin of each cell of the grid."""
        return np.searchsorted(self.edges, self.calibration(self.grid.centers), side="right")

    def moved(self, shifts: FloatArray, tilts: FloatArray) -> FloatArray:
        """Return the chances by chunk and bin after the log-odds are shifted and tilted by chunk."""
        if not (shifts.any() or tilts.any()):
            return np.broadcast_to(self.chances, (len(shifts), self.count))
        moved: FloatArray = expit(logit(self.chances) + shifts[:, None] + tilts[:, None] * self.scaled_log_odds)
        return moved

    def counts(self, rows: BinaryRows) -> ScoreCounts:
        """Count the rows of a chunk that have a score and a prediction."""
        scored = rows.scored.predicted
        return self.counts_of(scored.scores, scored.predictions, scored.labels, scored.counts)

    def counts_of(self, scores: FloatArray, predictions: IntArray, labels: IntArray, weights: IntArray) -> ScoreCounts:
        """Count rows with finite scores, predictions 0 or 1, and labels 0, 1 or MISSING; each stands for `weights`."""
        bins = self.bin_of_cell[self.grid.cells(scores)]
        codes = (predictions * LABELS + labels) * self.count + bins
        by_label = np.bincount(codes, weights, 2 * LABELS * self.count)
        return self._counts(by_label.astype(np.int64).reshape(1, 2, LABELS, self.count))[0]

    def counts_of_chunks(self, cells: IntArray, codes: IntArray, chunks: IntArray, number: int) -> ScoreCounts:
        """Count rows by chunk, from 0 to `number` - 1; `codes` are 3 * prediction + label, 2 for a missing label."""
        indices = (chunks * (2 * LABELS) + codes) * self.count + self.bin_of_cell[cells]
        by_label = np.bincount(indices, minlength=number * 2 * LABELS * self.count)
        return self._counts(by_label.reshape(number, 2, LABELS, self.count))

    @staticmethod
    def _counts(by_label: IntArray) -> ScoreCounts:
        return ScoreCounts(by_label.sum(2), by_label[:, :, :MISSING].sum(2), by_label[:, :, 1])

    def to_dict(self) -> dict[str, Any]:
        """Return the bins as JSON-compatible values."""
        return {
            "grid": self.grid.to_dict(),
            "calibration": self.calibration.to_dict(),
            "edges": self.edges.tolist(),
            "chances": self.chances.tolist(),
            "places": self.scaled_log_odds.tolist(),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(
            ScoreGrid(**stored["grid"]),
            SplineCalibration.from_dict(stored["calibration"]),
            *(np.asarray(stored[name], dtype=np.float64) for name in ("edges", "chances", "places")),
        )


def _edges(log_odds: FloatArray, rows: FloatArray) -> FloatArray:
    """Return the quantiles of the rows' calibrated log-odds, so that every bin has rows of the reference."""
    order = np.argsort(log_odds, kind="stable")
    order = order[rows[order] > 0]
    shares = np.cumsum(rows[order]) / rows.sum()
    firsts = np.searchsorted(shares, np.arange(1, BINS) / BINS, side="right")
    edges: FloatArray = np.unique(log_odds[order[np.minimum(firsts, len(order) - 1)]])
    above: FloatArray = edges[edges > log_odds[order[0]]]
    return above


def _scaled(log_odds: FloatArray, rows: FloatArray, chances: FloatArray) -> FloatArray:
    by_cell = expit(log_odds)
    weights = rows * by_cell * (1 - by_cell)
    center = weights @ log_odds / weights.sum()
    scale = np.sqrt(weights @ (log_odds - center) ** 2 / weights.sum())
    scaled: FloatArray = (logit(chances) - center) / (scale if scale > 0 else 1.0)
    return scaled
