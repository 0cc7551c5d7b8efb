"""Partial chunks at the ends of a reference, whose values vary more than those of complete chunks. No I/O here."""

from collections.abc import Sequence
from statistics import median

import pandas as pd

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import EVENT_TIME

MINIMUM_INNER_CHUNKS = 4
"""With fewer chunks between the first and the last none is left out, since bounds would become constants."""
PARTIAL_SHARE = 0.75
"""A partial chunk has fewer rows than this share of the median of the inner chunks; larger parts vary hardly more."""

ChunkRows = tuple[Chunk, pd.DataFrame]


def complete_chunks(chunks: Sequence[ChunkRows]) -> list[ChunkRows]:
    """Return the chunks, oldest first, without the first and the last where these are partial.

    The first or last chunk is partial if it has less than three quarters of the median rows of the inner chunks, and
    its events leave more of its period empty, on the outer side, than those of any inner chunk.
    """
    inner = chunks[1:-1]
    if len(inner) < MINIMUM_INNER_CHUNKS:
        return list(chunks)
    rows = PARTIAL_SHARE * median(len(part) for _, part in inner)
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
