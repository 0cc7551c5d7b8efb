"""What a reference's ranks say about the error of an area under a curve. No I/O here."""

import numpy as np

from driftline.engine.columns import BoolArray, FloatArray


def share_below(scores: FloatArray, positive: BoolArray) -> FloatArray | None:
    """Return, for each row of the rarer class, the share of the other's rows that rank below it (or above, mirrored).

    ROC AUC is the mean of these shares (Mann-Whitney U), so their spread is that of the area. Rows of equal score are
    ranked as they come. None without a row of each class, or where no rank is left. As NannyML 0.13.1
    (sampling_error/binary_classification.py), which leaves out a row on rank 0.
    """
    if positive.all() or not positive.any():
        return None
    if positive.mean() > 0.5:
        scores, positive = 1 - scores, ~positive
    ranks = np.flatnonzero(positive[np.argsort(scores)])
    ranks = ranks[ranks > 0]  # NannyML leaves out rank 0; kept, so that errors stay equal to its own
    return (ranks - np.arange(len(ranks))) / np.sum(~positive) if len(ranks) else None


def share_of_rarer(positive: BoolArray) -> float:
    """Return the share of the rows that are of the rarer class."""
    share = float(positive.mean())
    return min(share, 1 - share)
