"""Which chunk each row of the analysis belongs to, and the chunks themselves. No I/O here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from driftline.backtesting.input.instants import as_datetime
from driftline.backtesting.input.rows import Rows
from driftline.engine.chunks import Chunk, by_chunk, next_chunk, tiled
from driftline.engine.columns import IntArray
from driftline.engine.results import EVENT_TIME
from driftline.engine.spec import Period

LONGEST_GAP = 1_000
"""Empty chunks between two others are listed up to this many; a longer gap is left out."""


class Places(Protocol):
    """How the analysis is cut."""

    def split(self, rows: Rows, frame: pd.DataFrame) -> Iterator[tuple[Chunk, pd.DataFrame]]:
        """Yield the chunks of some rows and their part of `frame`, which has the same rows in the same order."""

    def sizes(self, times: IntArray, numbers: IntArray) -> dict[Chunk, int]:
        """Return how many of the rows with these times and numbers each chunk has."""

    def all(self, found: Sequence[Chunk]) -> Iterator[Chunk]:
        """Yield all chunks in order, those without rows too, given those that have some."""

    def complete(self, chunk: Chunk, newest: int) -> bool:
        """Return whether all of `chunk` is there; `newest` is the last event in microseconds."""

    def partial(self, chunk: Chunk) -> bool:
        """Return whether the first part of `chunk` belongs to the reference."""


@dataclass(frozen=True, slots=True)
class ByPeriod:
    """Chunks are periods of a time zone's calendar; the analysis begins at `since` (microseconds)."""

    period: Period
    zone: ZoneInfo
    since: int

    def split(self, rows: Rows, frame: pd.DataFrame) -> Iterator[tuple[Chunk, pd.DataFrame]]:
        """Yield the periods that have rows."""
        yield from by_chunk(frame, self.period, self.zone)

    def sizes(self, times: IntArray, numbers: IntArray) -> dict[Chunk, int]:
        """Return how many rows each period has."""
        instants = pd.DatetimeIndex(np.sort(times).view("datetime64[us]"), tz="UTC")
        frame = pd.DataFrame({EVENT_TIME: instants})
        return {chunk: len(rows) for chunk, rows in by_chunk(frame, self.period, self.zone)}

    def all(self, found: Sequence[Chunk]) -> Iterator[Chunk]:
        """Yield the periods, and those without rows between them."""
        last: Chunk | None = None
        for chunk in sorted(found):
            yield from self._gap(last, chunk)
            yield (last := chunk)

    def _gap(self, last: Chunk | None, chunk: Chunk) -> Iterator[Chunk]:
        between: list[Chunk] = []
        while last and last.end < chunk.start and len(between) <= LONGEST_GAP:
            between.append(last := next_chunk(last, self.period, self.zone))
        return iter(between if len(between) <= LONGEST_GAP else ())

    def complete(self, chunk: Chunk, newest: int) -> bool:
        """Return whether the newest event has passed the period's end, and none of it belongs to the reference."""
        return as_datetime(newest) >= chunk.end and not self.partial(chunk)

    def partial(self, chunk: Chunk) -> bool:
        """Return whether the reference ends inside the period."""
        return chunk.start < as_datetime(self.since)


@dataclass(frozen=True, slots=True, eq=False)
class ByNumber:
    """Chunks are numbers of rows: `owner` has each row's chunk, by the row's number less `first`."""

    chunks: tuple[Chunk, ...]
    owner: IntArray
    open_last: bool

    @classmethod
    def of(cls, times: IntArray, numbers: IntArray, sizes: Sequence[int], *, open_last: bool) -> "ByNumber":
        """Place rows of these times and numbers into chunks of these sizes, in the order of time and number."""
        order = np.lexsort((numbers, times))
        edges = list(accumulate(sizes, initial=0))
        firsts = times[order[[*edges[:-1], -1]]].tolist()
        owner = np.full(int(numbers.max()) + 1, -1, dtype=np.int64)
        owner[numbers[order]] = np.repeat(np.arange(len(sizes)), sizes)
        return cls(tuple(tiled([as_datetime(time) for time in firsts])), owner, open_last)

    def split(self, rows: Rows, frame: pd.DataFrame) -> Iterator[tuple[Chunk, pd.DataFrame]]:
        """Yield the chunks that have some of the rows."""
        owners = self.owner[rows.numbers]
        if np.any(owners[1:] < owners[:-1]):
            order = np.argsort(owners, kind="stable")
            owners, frame = owners[order], frame.iloc[order]
        edges = [0, *(np.flatnonzero(np.diff(owners)) + 1).tolist(), len(owners)]
        for first, last in pairwise(edges):
            yield self.chunks[int(owners[first])], frame.iloc[first:last]

    def sizes(self, times: IntArray, numbers: IntArray) -> dict[Chunk, int]:
        """Return how many rows each chunk has."""
        return dict(zip(self.chunks, np.bincount(self.owner[numbers]).tolist(), strict=True))

    def all(self, found: Sequence[Chunk]) -> Iterator[Chunk]:
        """Yield all chunks: each has rows."""
        yield from self.chunks

    def complete(self, chunk: Chunk, newest: int) -> bool:
        """Return whether the chunk has all the rows it can have."""
        return not (self.open_last and chunk == self.chunks[-1])

    def partial(self, chunk: Chunk) -> bool:
        """Return False: the count begins with the analysis."""
        return False
