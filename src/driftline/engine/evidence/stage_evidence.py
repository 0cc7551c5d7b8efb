"""The evidence of chunks at one stage: log e-values, observed and usual values, by component. No I/O here."""

from dataclasses import dataclass

import numpy as np

from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.frames.columns import FloatArray


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
    open_blocks: list[Counts]

    @classmethod
    def empty(cls, chunks: int, components: int) -> "StageEvidence":
        """Return no evidence about chunks, to be filled in; `open_blocks` is empty."""
        zeros = np.zeros((chunks, components))
        return cls(zeros, np.zeros((chunks, components, 3)), np.full(chunks, np.nan), [])


def values_of(rows: FloatArray, observed: FloatArray, usual: FloatArray) -> FloatArray:
    """Return the rows, and the rows times both values, on a last axis; 0 rows where a value is undefined."""
    observed, usual = np.broadcast_arrays(observed, usual)
    counted = np.where(np.isfinite(observed + usual), rows, 0.0)
    return np.stack([counted, counted * np.nan_to_num(observed), counted * np.nan_to_num(usual)], axis=-1)


def largest(drops: FloatArray) -> FloatArray:
    """Return the largest of drops, shape (chunks, metrics), by chunk; -inf where all are undefined."""
    highest: FloatArray = np.nan_to_num(drops, nan=-np.inf).max(axis=-1)
    return highest
