"""A fine grid over scores, so that fitting and counting take one pass over the rows. No I/O here."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from driftline.engine.frames.columns import FloatArray, IntArray

CELLS = 8192
CLIP = 1e-7
"""Scores are clipped to this distance from 0 and 1 before their log-odds are taken."""


@dataclass(frozen=True, slots=True)
class ScoreGrid:
    """Cells of equal width from `low` to `high`, in log-odds of the score, or in scores that are not probabilities."""

    low: float
    high: float
    log_odds: bool

    @classmethod
    def of(cls, scores: FloatArray) -> Self:
        """Return the grid that spans the reference's scores, which are finite."""
        log_odds = bool(scores.min() >= 0 and scores.max() <= 1)
        ends = np.array([scores.min(), scores.max()], dtype=np.float64)
        low, high = (_log_odds(ends) if log_odds else ends).tolist()
        return cls(low, high if high > low else low + 1.0, log_odds)

    def cells(self, scores: FloatArray) -> IntArray:
        """Return the cell of each finite score; one outside the grid gets the cell at that end."""
        values = _log_odds(scores) if self.log_odds else scores
        raw = (values - self.low) * (CELLS / (self.high - self.low))
        return np.clip(raw, 0, CELLS - 1, out=raw).astype(np.int64)

    @property
    def centers(self) -> FloatArray:
        """The middle of each cell, in log-odds of the score (or in scores)."""
        centers: FloatArray = self.low + (np.arange(CELLS, dtype=np.float64) + 0.5) * ((self.high - self.low) / CELLS)
        return centers

    def to_dict(self) -> dict[str, Any]:
        """Return the grid as JSON-compatible values."""
        return asdict(self)


def _log_odds(scores: FloatArray) -> FloatArray:
    clipped = np.clip(scores, CLIP, 1 - CLIP)
    odds: FloatArray = clipped / (1 - clipped)
    return np.log(odds, out=odds)
