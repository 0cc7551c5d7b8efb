"""The chunks of a reference, between which the variances of residuals and metrics are measured. No I/O here.

A chunk is the smallest part whose effect is independent of the others': parts of one chunk share its random effect,
and would seem to vary too little (Cameron and Miller 2015, A Practitioner's Guide to Cluster-Robust Inference).
"""

from collections.abc import Sequence

import numpy as np

from driftline.engine.columns import IntArray


def chunks_of_rows(sizes: Sequence[int]) -> IntArray:
    """Return the chunk of each row, from 0 on, of chunks with these sizes."""
    return np.repeat(np.arange(len(sizes)), sizes)


def renumbered(chunks: IntArray) -> IntArray:
    """Number the chunks that have rows from 0 on; `chunks` are ascending, at least one."""
    return np.cumsum(np.diff(chunks, prepend=chunks[0]) > 0)
