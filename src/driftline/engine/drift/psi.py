"""The population stability index. No I/O here."""

import numpy as np

from driftline.engine.drift.sketches.aligned_counts import State, Summary, counts
from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.outcome import Outcome

EMPTY = 0.5
"""The number of rows that an empty bin counts as where the other side has rows: its logarithm would be infinite."""


def finish(state: State, summary: Summary) -> Outcome:
    """Return the sum of (q - p) * ln(q / p) over bins with shares p of the reference and q of the chunk; 0 or more.

    Bins lie between the reference's deciles, or are its categories and one for all others. A bin that is empty on one
    side counts as half a row there; a bin that is empty on both sides is ignored. Usual reading: below 0.1 little
    change, above 0.2 (or 0.25) a clear one. Without any change it is about (bins - 1) / rows. Merges exactly.
    """
    reference, chunk = counts(state, summary)
    occupied = (reference > 0) | (chunk > 0)
    p, q = _shares(reference[occupied], state.rows), _shares(chunk[occupied], summary.rows)
    index = float(np.sum((q - p) * np.log(q / p)))
    return Outcome(index, summary.rows, effect=index)


def _shares(rows: IntArray, total: int) -> FloatArray:
    return np.where(rows > 0, rows, EMPTY) / total
