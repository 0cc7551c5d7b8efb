"""The test for no skill: whether the score ranks no better than chance in a chunk. No I/O here."""

import numpy as np

from driftline.engine.evidence.scores.score_counts import ScoreCounts
from driftline.engine.performance.ranks import chance_error

ONE_SIDED = 1.645
"""The ROC AUC must be above 0.5 at a level of 5 %."""
POWER = 2.33
"""Only chunks in which a model as good as in the reference would pass 99 times in 100 are judged."""
CHANCE = 0.5


def no_skill(reference: float, counts: ScoreCounts, roc_auc: float) -> float | None:
    """Return the ROC AUC of a chunk's labelled rows if it is not distinguishable from 0.5, else None.

    `reference` and `roc_auc` are the ROC AUC of the reference and of the counts. None also where the rows are too few
    to decide, or where the model had no skill in the reference. For a multiclass model, whose counts have an axis by
    class, the values are means over classes; the mean of the classes' errors is not below the error of the mean,
    however they are correlated.
    """
    positives = counts.positives.sum((-1, -2))
    negatives = counts.labelled.sum((-1, -2)) - positives
    if not (positives.all() and negatives.all()):
        return None
    pairs = zip(np.atleast_1d(positives).tolist(), np.atleast_1d(negatives).tolist(), strict=True)
    error = float(np.mean([chance_error(*pair) for pair in pairs]))
    is_decidable = (reference - CHANCE) / error > ONE_SIDED + POWER
    return roc_auc if is_decidable and roc_auc - ONE_SIDED * error <= CHANCE else None
