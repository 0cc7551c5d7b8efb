"""The Jensen-Shannon distance, to base 2. No I/O here."""

from math import sqrt

import numpy as np
from scipy.special import rel_entr

from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.drift.frequencies import Frequencies
from driftline.engine.drift.histogram import Binned, Histogram
from driftline.engine.outcome import Outcome


def finish(state: Histogram | Frequencies, summary: Binned | Frequencies) -> Outcome:
    """Return the distance between two distributions, in [0, 1]: 0 for equal ones, 1 where they share nothing.

    Continuous columns are compared in the reference's bins, categorical ones by category. All values beyond the bins,
    and all categories that the reference has not, count together as one more, as in NannyML 0.13.1. Merges exactly.
    """
    if isinstance(state, Histogram) and isinstance(summary, Binned):
        reference, counts = state.counts, summary.counts
    elif isinstance(state, Frequencies) and isinstance(summary, Frequencies):
        reference = np.fromiter(state.counts.values(), dtype=np.int64)
        counts = np.fromiter((summary.counts.get(name, 0) for name in state.counts), dtype=np.int64)
    else:
        msg = "the summary was made against another reference"
        raise TypeError(msg)
    distance = _distance(_shares(reference, state.rows), _shares(counts, summary.rows))
    return Outcome(distance, summary.rows, effect=distance)


def _shares(counts: IntArray, rows: int) -> FloatArray:
    """Return the share of each count, and last the share of the rows that none of them counts."""
    return np.append(counts, rows - counts.sum()) / rows


def _distance(p: FloatArray, q: FloatArray) -> float:
    middle = (p + q) / 2
    nats = float(np.sum(rel_entr(p, middle)) + np.sum(rel_entr(q, middle)))
    return sqrt(max(nats, 0.0) / 2 / np.log(2))
