"""The Hellinger distance. No I/O here."""

from math import sqrt

import numpy as np

from driftline.engine.drift.sketches.aligned_counts import State, Summary, shares
from driftline.engine.outcome import Outcome


def finish(state: State, summary: Summary) -> Outcome:
    """Return the distance between two distributions, in [0, 1]: 0 if they are equal, 1 if they do not overlap.

    Compared in the same bins and categories as Jensen-Shannon, and as in NannyML 0.13.1. Merges exactly.
    """
    p, q = shares(state, summary)
    distance = sqrt(float(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2)) / 2)
    return Outcome(distance, summary.rows, effect=distance)
