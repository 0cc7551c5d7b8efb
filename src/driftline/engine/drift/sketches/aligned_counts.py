"""The counts of a reference and of a chunk in the same bins or categories. No I/O here."""

from collections.abc import Iterable
from itertools import repeat

import numpy as np

from driftline.engine.drift.sketches.deciles import Deciles
from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.drift.sketches.histogram import ChunkHistogram, Histogram
from driftline.engine.frames.columns import FloatArray, IntArray

State = Histogram | Deciles | Frequencies
Summary = ChunkHistogram | Frequencies


def counts(state: State, summary: Summary) -> tuple[IntArray, IntArray]:
    """Return the rows of the reference and of the chunk in each of the reference's bins, or of its categories.

    Last come all other rows: values beyond the bins, and categories that the reference lacks. Raises TypeError for a
    summary that was computed against another kind of reference.
    """
    if isinstance(state, Frequencies) and isinstance(summary, Frequencies):
        reference, chunk = counts_of(state, state.counts), counts_of(summary, state.counts)
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


def category_counts(state: Frequencies, summary: Frequencies) -> tuple[IntArray, IntArray]:
    """Return the rows of the reference and of the chunk of each category that either has, in alphabetical order."""
    only_of_chunk = summary.counts.keys() - state.counts.keys()
    names = sorted([*state.counts, *only_of_chunk])
    return counts_of(state, names), counts_of(summary, names)


def counts_of(side: Frequencies, names: Iterable[str]) -> IntArray:
    """Return the rows of each of these categories; 0 for one that is absent."""
    return np.array(list(map(side.counts.get, names, repeat(0))), dtype=np.int64)
