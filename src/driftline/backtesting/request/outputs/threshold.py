"""Infers the threshold of a binary model's score, where the data has no predictions. No I/O here."""

import numpy as np
import pandas as pd

from driftline.engine.frames.columns import FloatArray, as_floats
from driftline.engine.results import LABEL, SCORE

DEFAULT_THRESHOLD = 0.5


def infer_threshold(frame: pd.DataFrame, *, by_order: bool = False) -> tuple[float, str]:
    """Return the threshold and its rule: 0.5, or the score with the best F1 where all scores are on one side of 0.5.

    `frame` has the outputs of the reference. With `by_order`, where only the order of the scores has a meaning, the
    threshold is always that with the best F1.
    """
    scores, labels = as_floats(frame[SCORE]), as_floats(frame[LABEL])
    finite = scores[np.isfinite(scores)]
    if not by_order and len(finite) and (finite >= DEFAULT_THRESHOLD).any() and (finite < DEFAULT_THRESHOLD).any():
        return DEFAULT_THRESHOLD, "there is no prediction column"
    labelled = np.isfinite(scores) & np.isfinite(labels)
    best = best_threshold(scores[labelled], labels[labelled])
    if best is None:
        return DEFAULT_THRESHOLD, "there is no prediction column"
    reason = "the score is not a probability" if by_order else "all scores are on one side of 0.5"
    return best, f"there is no prediction column, {reason}, and this threshold has the best F1 in the reference"


def best_threshold(scores: FloatArray, labels: FloatArray) -> float | None:
    """Return the threshold with the best F1 for `labels` (0 or 1); None without a positive label."""
    order = np.argsort(-scores, kind="stable")
    ordered, hits = scores[order], np.cumsum(labels[order])
    if not len(hits) or not hits[-1]:
        return None
    last = np.append(ordered[1:] != ordered[:-1], True)
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + hits[-1])
    return float(ordered[last][np.argmax(f1[last])])
