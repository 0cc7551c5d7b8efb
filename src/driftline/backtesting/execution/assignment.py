"""Assigns each row of the analysis to its chunk. No I/O here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from driftline.backtesting.input.rows import Rows
from driftline.backtesting.input.values.instants import as_datetime
from driftline.engine.chunking.chunks import Chunk, next_chunk, split_by_chunk, tiled
from driftline.engine.frames.columns import IntArray
from driftline.engine.results import EVENT_TIME
from driftline.engine.spec import Period

LONGEST_GAP = 1_000
"""Up to this many empty chunks in a row are listed; a longer gap is left out."""


class ChunkAssignment(Protocol):
    """The assignment of the analysis's rows to chunks."""

    def split(self, rows: Rows, frame: pd.DataFrame) -> Iterator[tuple[Chunk, pd.DataFrame]]:
        """Yield the chunks of some rows with their part of `frame`, which has the same rows in the same order."""

    def sizes(self, times: IntArray, numbers: IntArray) -> dict[Chunk, int]:
        """Return the number of rows in each chunk, of rows with these times and numbers."""

    def all(self, filled: Sequence[Chunk]) -> Iterator[Chunk]:
        """Yield all chunks in order, also those without rows; `filled` are those with rows."""

    def is_complete(self, chunk: Chunk, newest: int) -> bool:
        """Return whether the analysis has all rows of `chunk`; `newest` is the last event (microseconds)."""

    def is_partial(self, chunk: Chunk) -> bool:
        """Return whether the first rows of `chunk` belong to the reference."""


@dataclass(frozen=True, slots=True)
class ByPeriod:
    """Chunks are periods of a time zone's calendar; the analysis begins at `since` (microseconds)."""

    period: Period
    zone: ZoneInfo
    since: int

    def split(self, rows: Rows, frame: pd.DataFrame) -> Iterator[tuple[Chunk, pd.DataFrame]]:
        """Yield the periods that have rows."""
        yield from split_by_chunk(frame, self.period, self.zone)

    def sizes(self, times: IntArray, numbers: IntArray) -> dict[Chunk, int]:
        """Return the number of rows in each period."""
        instants = pd.DatetimeIndex(np.sort(times).view("datetime64[us]"), tz="UTC")
        frame = pd.DataFrame({EVENT_TIME: instants})
        return {chunk: len(rows) for chunk, rows in split_by_chunk(frame, self.period, self.zone)}

    def all(self, filled: Sequence[Chunk]) -> Iterator[Chunk]:
        """Yield the periods with rows, and those without rows between them."""
        last: Chunk | None = None
        for chunk in sorted(filled):
            yield from self._gap(last, chunk)
            yield (last := chunk)

    def _gap(self, last: Chunk | None, chunk: Chunk) -> Iterator[Chunk]:
        """Yield the periods between two chunks; none if there are more than `LONGEST_GAP`."""
        between: list[Chunk] = []
        while last and last.end < chunk.start and len(between) <= LONGEST_GAP:
            between.append(last := next_chunk(last, self.period, self.zone))
        return iter(between if len(between) <= LONGEST_GAP else ())

    def is_complete(self, chunk: Chunk, newest: int) -> bool:
        """Return whether the newest event is after the period's end, and the reference ended before the period."""
        return as_datetime(newest) >= chunk.end and not self.is_partial(chunk)

    def is_partial(self, chunk: Chunk) -> bool:
        """Return whether the reference ends inside the period."""
        return chunk.start < as_datetime(self.since)


@dataclass(frozen=True, slots=True, eq=False)
class ByRowNumber:
    """Chunks have given numbers of rows; `chunk_indices` has the index of each row's chunk, by row number."""

    chunks: tuple[Chunk, ...]
    chunk_indices: IntArray
    open_last: bool

    @classmethod
    def of(cls, times: IntArray, numbers: IntArray, sizes: Sequence[int], *, open_last: bool) -> "ByRowNumber":
        """Assign rows with these times and numbers to chunks of these sizes, in the order of time and number."""
        order = np.lexsort((numbers, times))
        edges = list(accumulate(sizes, initial=0))
        firsts = times[order[[*edges[:-1], -1]]].tolist()
        chunk_indices = np.full(int(numbers.max()) + 1, -1, dtype=np.int64)
        chunk_indices[numbers[order]] = np.repeat(np.arange(len(sizes)), sizes)
        return cls(tuple(tiled([as_datetime(time) for time in firsts])), chunk_indices, open_last)

    def split(self, rows: Rows, frame: pd.DataFrame) -> Iterator[tuple[Chunk, pd.DataFrame]]:
        """Yield the chunks that have any of the rows."""
        indices = self.chunk_indices[rows.numbers]
        if np.any(indices[1:] < indices[:-1]):
            order = np.argsort(indices, kind="stable")
            indices, frame = indices[order], frame.iloc[order]
        edges = [0, *(np.flatnonzero(np.diff(indices)) + 1).tolist(), len(indices)]
        for first, last in pairwise(edges):
            yield self.chunks[int(indices[first])], frame.iloc[first:last]

    def sizes(self, times: IntArray, numbers: IntArray) -> dict[Chunk, int]:
        """Return the number of rows in each chunk."""
        return dict(zip(self.chunks, np.bincount(self.chunk_indices[numbers]).tolist(), strict=True))

    def all(self, filled: Sequence[Chunk]) -> Iterator[Chunk]:
        """Yield all chunks: each has rows."""
        yield from self.chunks

    def is_complete(self, chunk: Chunk, newest: int) -> bool:
        """Return whether the chunk has its full number of rows."""
        return not (self.open_last and chunk == self.chunks[-1])

    def is_partial(self, chunk: Chunk) -> bool:
        """Return False: the chunks begin with the analysis."""
        return False
