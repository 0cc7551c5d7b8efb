"""The Jensen-Shannon distance, to base 2. No I/O here."""

from math import sqrt

import numpy as np
from scipy.special import rel_entr

from driftline.engine.drift.sketches.aligned_counts import State, Summary, shares
from driftline.engine.frames.columns import FloatArray
from driftline.engine.outcome import Outcome


def finish(state: State, summary: Summary) -> Outcome:
    """Return the distance between two distributions, in [0, 1]: 0 if they are equal, 1 if they do not overlap.

    Continuous columns are compared in the reference's bins, categorical ones by category. All values beyond the bins,
    and all categories that the reference lacks, are one more bin, as in NannyML 0.13.1. Merges exactly.
    """
    distance = _distance(*shares(state, summary))
    return Outcome(distance, summary.rows, effect=distance)


def _distance(p: FloatArray, q: FloatArray) -> float:
    middle = (p + q) / 2
    nats = float(np.sum(rel_entr(p, middle)) + np.sum(rel_entr(q, middle)))
    return sqrt(max(nats, 0.0) / 2 / np.log(2))
