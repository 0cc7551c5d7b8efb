"""Scores that must be probabilities, and the error for scores that are not. No I/O here."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from driftline.engine.frames.columns import FloatArray, as_floats
from driftline.errors import InvalidInput

ROUNDING = 1e-6
"""A score this far below 0 or above 1 is a probability with a rounding error."""


def not_probabilities(scores: FloatArray) -> FloatArray:
    """Return the finite scores that are below 0 or above 1 by more than a rounding error, in their given order."""
    outside: FloatArray = scores[np.isfinite(scores) & ((scores < -ROUNDING) | (scores > 1 + ROUNDING))]
    return outside


def are_probabilities(scores: FloatArray) -> bool:
    """Return whether all finite scores are from 0 to 1."""
    return not len(not_probabilities(scores))


def require_probabilities(frame: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise InvalidInput where one of the score columns `names` of `frame` holds values that are not probabilities."""
    for name in names:
        outside = not_probabilities(as_floats(frame[name]))
        if len(outside):
            msg = (
                f"column {name!r} holds {len(outside):,} values outside 0 to 1 (such as {outside[0]:.6g}), which are "
                "not probabilities; divide percent by 100, and turn log-odds x into 1 / (1 + exp(-x))"
            )
            raise InvalidInput(msg)
