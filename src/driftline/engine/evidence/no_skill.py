"""The test for no skill: whether the score ranks no better than chance in a chunk. No I/O here."""

from driftline.engine.evidence.bin_metrics import metrics_of
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.score_counts import ScoreCounts
from driftline.engine.performance.ranks import chance_error

ONE_SIDED = 1.645
"""The ROC AUC must be above 0.5 at a level of 5 %."""
POWER = 2.33
"""Only chunks in which a model as good as in the reference would pass 99 times in 100 are judged."""
CHANCE = 0.5


def no_skill(fitted: FittedEvidence, counts: ScoreCounts, roc_auc: float | None = None) -> float | None:
    """Return the ROC AUC of a chunk's labelled rows if it is not distinguishable from 0.5, else None.

    `roc_auc` is that of the counts, if already computed. None also where the rows are too few to decide, or where the
    model had no skill in the reference.
    """
    positives = int(counts.positives.sum())
    negatives = int(counts.labelled.sum()) - positives
    if not positives or not negatives:
        return None
    error = chance_error(positives, negatives)
    auc = float(metrics_of(counts.labelled, counts.positives)[0]) if roc_auc is None else roc_auc
    is_decidable = (reference_roc_auc(fitted) - CHANCE) / error > ONE_SIDED + POWER
    return auc if is_decidable and auc - ONE_SIDED * error <= CHANCE else None


def reference_roc_auc(fitted: FittedEvidence) -> float:
    """Return the ROC AUC of the reference: the mean of its blocks or, with few blocks, the one expected from scores."""
    if fitted.realized:
        return float(fitted.realized.mean[0])
    return float(metrics_of(fitted.pool, fitted.pool * fitted.bins.chances)[0])
