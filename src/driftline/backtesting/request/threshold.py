"""The score from which on a binary model's prediction is 1, where the data has no prediction. No I/O here."""

import numpy as np
import pandas as pd

from driftline.engine.columns import FloatArray, as_floats
from driftline.engine.results import LABEL, SCORE

HALF = 0.5


def infer_threshold(frame: pd.DataFrame, *, by_order: bool = False) -> tuple[float, str]:
    """Return the threshold and the rule behind it: 0.5, or the score with the best F1 where 0.5 separates no rows.

    `frame` has the outputs of the reference. Of scores whose order alone has a meaning, `by_order`, F1 decides.
    """
    scores, labels = as_floats(frame[SCORE]), as_floats(frame[LABEL])
    finite = scores[np.isfinite(scores)]
    if not by_order and len(finite) and (finite >= HALF).any() and (finite < HALF).any():
        return HALF, "there is no prediction column"
    labelled = np.isfinite(scores) & np.isfinite(labels)
    best = best_threshold(scores[labelled], labels[labelled])
    if best is None:
        return HALF, "there is no prediction column"
    why = "the score is not a probability" if by_order else "0.5 tells no rows apart"
    return best, f"there is no prediction column, {why}, and here F1 is best in the reference"


def best_threshold(scores: FloatArray, labels: FloatArray) -> float | None:
    """Return the score from which on F1 of `labels` (0 or 1) is best; None without a positive label."""
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(labels[order])
    if not len(hits) or not hits[-1]:
        return None
    last = np.append(ordered[1:] != ordered[:-1], True)
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + hits[-1])
    return float(ordered[last][np.argmax(f1[last])])
