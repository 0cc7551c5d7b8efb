"""Evidence that the share of positive rows differs from the one expected from their scores. No I/O here."""

import numpy as np

from driftline.engine.columns import FloatArray
from driftline.engine.evidence.residuals import Indifference, Residuals, log_likelihood
from driftline.engine.evidence.score_bins import ScoreBins
from driftline.engine.evidence.score_counts import ScoreCounts

SHIFTS = (0.3, 0.6, 1.2)
"""The tested shifts of log-odds beyond the zone, each up and down."""
COMPONENTS = 2 * len(SHIFTS)


def log_evidence(bins: ScoreBins, state: Indifference, counts: ScoreCounts) -> FloatArray:
    """Return log e-values, shape (chunks, 6): more positives by each shift, then fewer by each.

    The likelihood ratio of a shift to the edge of the zone, tempered by the variance between chunks of the reference.
    """
    residuals = Residuals.of(bins, counts.labelled, counts.positives)
    temper = 1 + residuals.shift_variance * state.variance
    columns = []
    for sign in (1, -1):
        edge = log_likelihood(bins, counts.labelled, counts.positives, sign * state.zone, 0.0)
        for shift in SHIFTS:
            ratio = log_likelihood(bins, counts.labelled, counts.positives, sign * (state.zone + shift), 0.0)
            columns.append((ratio - edge) / temper)
    return np.stack(columns, axis=-1)
