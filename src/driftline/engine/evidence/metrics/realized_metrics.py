"""Evidence that a realized metric has fallen below the reference's mean. No I/O here."""

import numpy as np

from driftline.engine.evidence.metrics.bin_metrics import MARGINS, METRICS, metrics_of
from driftline.engine.evidence.metrics.block_metrics import BlockMetrics
from driftline.engine.evidence.metrics.indifference import ERRORS
from driftline.engine.evidence.scores.score_counts import ScoreCounts, rows_of
from driftline.engine.frames.columns import FloatArray

SIZES = (1.0, 2.0)
"""The tested drops beyond the zone, in margins."""
COMPONENTS = len(SIZES) * len(METRICS)


def log_evidence(reference: BlockMetrics, counts: ScoreCounts) -> FloatArray:
    """Return log e-values of blocks, shape (blocks, 6): Gaussian likelihood ratios; 0 where a metric is undefined."""
    margin = np.maximum(reference.floor, ERRORS * np.sqrt(reference.variance_of_mean))
    drop = reference.mean - metrics_of(counts.labelled, counts.positives) - margin
    variance = reference.variance(rows_of(counts.labelled))
    ratios = [size * MARGINS * (drop - size * MARGINS / 2) / variance for size in SIZES]
    return np.nan_to_num(np.concatenate(ratios, axis=-1), nan=0.0)
