"""Slices of a reference: parts in time between which the variance of residuals and metrics is measured. No I/O here."""

from collections.abc import Sequence

import numpy as np

from driftline.engine.columns import IntArray

MINIMUM_SLICES = 10
"""The reference is cut into at least this many slices of time, whatever the number of its chunks."""


def slices_of(sizes: Sequence[int]) -> IntArray:
    """Return the slice of each row, from chunks of these sizes: its chunk, or a part of it where chunks are few."""
    parts = -(-MINIMUM_SLICES // len(sizes))
    number_in_chunk = np.concatenate([np.arange(size) * parts // size for size in sizes])
    slices: IntArray = np.repeat(np.arange(len(sizes)) * parts, sizes) + number_in_chunk
    return slices


def renumbered(slices: IntArray) -> IntArray:
    """Number the slices that have rows from 0 on; `slices` are ascending, at least one."""
    return np.cumsum(np.diff(slices, prepend=slices[0]) > 0)
