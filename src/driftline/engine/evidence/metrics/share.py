"""Evidence that the share of positive rows differs from the one expected from their scores. No I/O here."""

import numpy as np

from driftline.engine.evidence.metrics.indifference import IndifferenceZone
from driftline.engine.evidence.scores.residuals import Residuals, log_likelihood
from driftline.engine.evidence.scores.score_bins import ScoreBins
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.frames.columns import FloatArray

SHIFTS = (0.3, 0.6, 1.2)
"""The tested shifts of log-odds beyond the zone, each up and down."""
COMPONENTS = 2 * len(SHIFTS)


def log_evidence(bins: ScoreBins, indifference: IndifferenceZone, counts: ScoreCounts, usual: FloatArray) -> FloatArray:
    """Return log e-values, shape (chunks, 6): more positives by each shift, then fewer by each.

    The log likelihood ratio of a shift to the edge of the zone, divided by the overdispersion of chunks.
    `usual` is the shift of each chunk's weekday.
    """
    residuals = Residuals.of(bins, counts.labelled, counts.positives)
    overdispersion = indifference.overdispersion(residuals.shift_variance)
    columns = []
    for sign in (1, -1):
        edge = log_likelihood(bins, counts.labelled, counts.positives, usual + sign * indifference.half_width, 0.0)
        for shift in SHIFTS:
            moved = usual + sign * (indifference.half_width + shift)
            ratio = log_likelihood(bins, counts.labelled, counts.positives, moved, 0.0)
            columns.append((ratio - edge) / overdispersion)
    return np.stack(columns, axis=-1)
