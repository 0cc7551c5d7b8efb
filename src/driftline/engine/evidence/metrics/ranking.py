"""Evidence that scores separate positives from negatives less well than expected. No I/O here."""

import numpy as np

from driftline.engine.evidence.metrics.indifference import IndifferenceZone
from driftline.engine.evidence.scores.residuals import Residuals, log_likelihood
from driftline.engine.evidence.scores.score_bins import ScoreBins
from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.frames.columns import FloatArray

TILTS = (0.3, 0.6, 1.2)
"""The tested falls of the slope of log-odds beyond the zone."""
COMPONENTS = len(TILTS)


def log_evidence(
    bins: ScoreBins, indifference: IndifferenceZone, counts: ScoreCounts, usual_shift: FloatArray, usual: FloatArray
) -> FloatArray:
    """Return log e-values, shape (chunks, 3), one for each fall of the slope, divided as in `share.log_evidence`.

    `usual_shift` and `usual` are the shift and the slope of each chunk's weekday.
    """
    residuals = Residuals.of(bins, counts.labelled, counts.positives)
    overdispersion = indifference.overdispersion(residuals.tilt_variance)
    edge, *ratios = (
        log_likelihood(bins, counts.labelled, counts.positives, usual_shift, usual - indifference.half_width - tilt)
        for tilt in (0.0, *TILTS)
    )
    return np.stack([(ratio - edge) / overdispersion for ratio in ratios], axis=-1)
