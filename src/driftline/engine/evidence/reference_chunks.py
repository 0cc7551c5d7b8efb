"""The chunks of a reference, between which the variances of residuals and metrics are measured. No I/O here.

A chunk is the smallest part whose effect is independent of the others': parts of one chunk share its random effect,
and would seem to vary too little (Cameron and Miller 2015, A Practitioner's Guide to Cluster-Robust Inference).
"""

from collections.abc import Sequence

import numpy as np

from driftline.engine.frames.columns import FloatArray, IntArray

WHOLE_DAY = 0.5
"""A day is whole if it has at least this share of the chunks of the day with the most."""


def chunks_of_rows(sizes: Sequence[int]) -> IntArray:
    """Return the chunk of each row, from 0 on, of chunks with these sizes."""
    return np.repeat(np.arange(len(sizes)), sizes)


def renumbered(chunks: IntArray) -> IntArray:
    """Number the chunks that have rows from 0 on; `chunks` are ascending, at least one."""
    return np.cumsum(np.diff(chunks, prepend=chunks[0]) > 0)


def whole_days(days: Sequence[int] | IntArray | None) -> IntArray | None:
    """Return the whole days among the days of chunks (ordinals); None where chunks are not parts of days."""
    if days is None or not len(days):
        return None
    dates, chunks = np.unique(np.asarray(days), return_counts=True)
    complete: IntArray = dates[chunks >= WHOLE_DAY * chunks.max()]
    return complete if chunks.max() > 1 else None


def rows_of_a_day(rows: FloatArray, days: Sequence[int] | IntArray | None) -> float:
    """Return the mean rows of the whole days, from the rows of the chunks; 0 where chunks are not parts of days."""
    complete = whole_days(days)
    return 0.0 if complete is None else float(rows[np.isin(np.asarray(days), complete)].sum() / len(complete))
