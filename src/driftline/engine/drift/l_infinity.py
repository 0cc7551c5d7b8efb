"""The L-infinity distance of a categorical column. No I/O here."""

import numpy as np

from driftline.engine.drift.sketches.aligned_counts import category_counts
from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.outcome import Outcome


def finish(state: Frequencies, summary: Frequencies) -> Outcome:
    """Return the largest difference between the shares of one category, in [0, 1], as NannyML 0.13.1 does.

    Each category counts, including those that only the chunk has. Merges exactly.
    """
    reference, chunk = category_counts(state, summary)
    rows = summary.rows
    distance = float(np.max(np.abs(reference / state.rows - chunk / rows)))
    return Outcome(distance, rows, effect=distance)
