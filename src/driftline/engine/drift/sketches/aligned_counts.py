"""The counts of a reference and of a chunk in the same bins or categories. No I/O here."""

import numpy as np

from driftline.engine.columns import FloatArray, IntArray
from driftline.engine.drift.sketches.deciles import Deciles
from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.drift.sketches.histogram import ChunkHistogram, Histogram

State = Histogram | Deciles | Frequencies
Summary = ChunkHistogram | Frequencies


def counts(state: State, summary: Summary) -> tuple[IntArray, IntArray]:
    """Return the rows of the reference and of the chunk in each of the reference's bins, or of its categories.

    Last come all other rows: values beyond the bins, and categories that the reference lacks. Raises TypeError for a
    summary that was computed against another kind of reference.
    """
    if isinstance(state, Frequencies) and isinstance(summary, Frequencies):
        reference = np.fromiter(state.counts.values(), dtype=np.int64)
        chunk = np.fromiter((summary.counts.get(name, 0) for name in state.counts), dtype=np.int64)
    elif isinstance(state, Histogram | Deciles) and isinstance(summary, ChunkHistogram):
        reference, chunk = state.counts, summary.counts
    else:
        msg = "the summary was computed against another reference"
        raise TypeError(msg)
    return np.append(reference, state.rows - reference.sum()), np.append(chunk, summary.rows - chunk.sum())


def shares(state: State, summary: Summary) -> tuple[FloatArray, FloatArray]:
    """Return `counts` as shares of the rows of each side."""
    reference, chunk = counts(state, summary)
    return reference / state.rows, chunk / summary.rows
