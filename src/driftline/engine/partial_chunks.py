"""Chunks that a reference, at its ends, holds only a part of: they scatter more than whole ones. No I/O here."""

from collections.abc import Sequence
from statistics import median

import pandas as pd

from driftline.engine.chunks import Chunk
from driftline.engine.results import EVENT_TIME

LEAST = 4
"""At least this many chunks remain; with fewer, bounds are constants."""
FEW = 0.75
"""A part has fewer rows than this share of what whole chunks have; a larger part scatters hardly more than they do."""

ChunkRows = tuple[Chunk, pd.DataFrame]


def whole_chunks(chunks: Sequence[ChunkRows]) -> list[ChunkRows]:
    """Return the chunks, oldest first, without a first and a last one that the reference holds only a part of.

    A chunk at an end is taken for a part where two things hold: it has less than three quarters of the median rows of
    the chunks between the ends, and its events leave more of its period empty, on the outer side, than those of any
    chunk between.
    """
    inner = chunks[1:-1]
    if len(inner) < LEAST:
        return list(chunks)
    rows = FEW * median(len(part) for _, part in inner)
    gaps = [_gaps(part) for part in inner]
    first, last = _gaps(chunks[0]), _gaps(chunks[-1])
    keep_first = len(chunks[0][1]) >= rows or first[0] <= max(before for before, _ in gaps)
    keep_last = len(chunks[-1][1]) >= rows or last[1] <= max(after for _, after in gaps)
    return [*(chunks[:1] if keep_first else ()), *inner, *(chunks[-1:] if keep_last else ())]


def _gaps(part: ChunkRows) -> tuple[float, float]:
    """Return the shares of a chunk's period before its first and after its last event."""
    chunk, rows = part
    times = rows[EVENT_TIME]
    length = (chunk.end - chunk.start).total_seconds()
    before = (times.min() - chunk.start).total_seconds()
    after = (chunk.end - times.max()).total_seconds()
    return before / length, after / length
