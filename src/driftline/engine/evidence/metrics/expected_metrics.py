"""Evidence from the scores alone that a metric falls, computed from the calibration. No I/O here."""

import numpy as np
from scipy.special import stdtr

from driftline.engine.evidence.metrics.bin_metrics import METRICS, metrics_of
from driftline.engine.evidence.metrics.block_metrics import BlockMetrics
from driftline.engine.evidence.scores.score_counts import rows_of
from driftline.engine.frames.columns import FloatArray, IntArray

EXPONENT = 0.3
"""A p-value p becomes the e-value 0.3 * p^-0.7, whose mean is 1 (Vovk and Wang 2021)."""
COMPONENTS = len(METRICS)


def log_evidence(reference: BlockMetrics, chances: FloatArray, scored: IntArray) -> FloatArray:
    """Return log e-values of blocks, shape (blocks, 3), from counts of shape (blocks, 2, bins); 0 where undefined."""
    drop = reference.mean - metrics_of(scored, scored * chances) - reference.floor
    error = np.sqrt(reference.variance(rows_of(scored)) + reference.variance_of_mean)
    p_value = np.maximum(stdtr(reference.blocks - 1, -drop / error), 1e-300)
    evidence: FloatArray = np.nan_to_num(np.log(EXPONENT) + (EXPONENT - 1) * np.log(p_value), nan=0.0)
    return evidence
