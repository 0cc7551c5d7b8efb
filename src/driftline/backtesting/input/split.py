"""Which rows are the reference and which the analysis; as much of both in memory as is needed and fits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from driftline.backtesting.input.instants import as_microseconds, aware
from driftline.backtesting.input.outlying_times import reject_outlying
from driftline.backtesting.input.read_options import ReadOptions
from driftline.backtesting.input.repeats import Repeats, RowIds, find_repeats, hash_rows
from driftline.backtesting.input.rows import Rows, read, read_all, together
from driftline.backtesting.input.sources import Source
from driftline.engine.columns import IntArray
from driftline.errors import InvalidInput

Progress = Callable[[str, int], None]
"""Told what is being done, and with how many rows more it is done."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The reference's rows, and the analysis: `kept` where all of it fits, else read again by `analysis`.

    `times` and `numbers` are those of all its rows. `repeats` are rows that are left out everywhere.
    """

    source: Source
    request: ReadOptions
    until: int
    reference: Rows
    kept: Rows | None
    times: IntArray
    numbers: IntArray
    repeats: Repeats

    @property
    def newest(self) -> int:
        """The time of the newest event, in microseconds."""
        return int(self.times.max())

    def analysis(self) -> Iterator[Rows]:
        """Yield the rows of the analysis, each block in the order of time."""
        if self.kept is not None:
            yield self.kept
            return
        for rows in read(self.source, self.request, columns_of(self.request, self.source)):
            after = self.repeats.remove(rows.split(self.until)[1])
            if len(after):
                yield after


def columns_of(request: ReadOptions, source: Source) -> tuple[str, ...]:
    """Return the columns to read: with features given no others."""
    if request.features is None:
        return source.columns
    return tuple(dict.fromkeys((*request.roles, *request.features)))


def split(source: Source, request: ReadOptions, ends: datetime, progress: Progress) -> Split:
    """Read all rows once; those before `ends` are the reference. None on one of the sides is an InvalidInput."""
    until = as_microseconds(ends)

    def halves(rows: Rows) -> tuple[Rows, Rows, RowIds | None]:
        progress("reading", len(rows))
        before, after = rows.split(until)
        ids = RowIds.of(rows, request.id) if request.id else None
        return (before, after, ids) if source.whole else (_copy(before), _places_only(after), ids)

    parts = read_all(source, request, columns_of(request, source), halves)
    _reject_outlying(request, [half for before, after, _ in parts for half in (before, after)])
    repeats = _repeats(source, request, parts)
    reference = _filled(repeats.remove(before) for before, _, _ in parts)
    analysis = _filled(repeats.remove(after) for _, after, _ in parts)
    if not reference or not analysis:
        raise _one_sided(request.option("reference_until", ends.isoformat()), [*reference, *analysis])
    kept = together(analysis) if source.whole else None
    times = np.concatenate([rows.times for rows in analysis])
    numbers = np.concatenate([rows.numbers for rows in analysis])
    return Split(source, request, until, together(reference), kept, times, numbers, repeats)


def _repeats(source: Source, request: ReadOptions, parts: Sequence[tuple[Rows, Rows, RowIds | None]]) -> Repeats:
    """Return the rows that repeat another one; a file that is read in blocks is read again only if ids are repeated."""
    ids = [part[2] for part in parts if part[2] is not None]
    if not ids:
        return Repeats()

    def content_of(numbers: IntArray) -> pd.Series:
        if source.whole:
            hashes = [hash_rows(rows, numbers) for before, after, _ in parts for rows in (before, after)]
        else:
            hashes = read_all(source, request, columns_of(request, source), lambda rows: hash_rows(rows, numbers))
        content: pd.Series = pd.concat(hashes)
        return content

    return find_repeats(RowIds.together(ids), content_of)


def _reject_outlying(request: ReadOptions, parts: Sequence[Rows]) -> None:
    times = np.concatenate([rows.times for rows in parts] or [np.empty(0, dtype=np.int64)])
    numbers = np.concatenate([rows.numbers for rows in parts] or [np.empty(0, dtype=np.int64)])
    reject_outlying(times, numbers, request.timestamp, request.zone)


def _filled(parts: Iterable[Rows]) -> list[Rows]:
    return [rows for rows in parts if len(rows)]


def _copy(rows: Rows) -> Rows:
    """Return the rows by themselves: a part of a block would hold the memory of all of it."""
    return Rows(rows.frame.copy(), rows.times.copy(), rows.numbers.copy())


def _places_only(rows: Rows) -> Rows:
    """Forget everything but times and numbers, and do not hold the block's memory."""
    return Rows(rows.frame.iloc[:0, :0], rows.times.copy(), rows.numbers.copy())


def _one_sided(end: str, rows: list[Rows]) -> InvalidInput:
    if not rows:
        return InvalidInput("The data has no rows.")
    first = aware(min(int(part.times[0]) for part in rows))
    last = aware(max(int(part.times[-1]) for part in rows))
    return InvalidInput(
        f"{end} leaves no rows on one side of it: the events are from "
        f"{first.isoformat()} to {last.isoformat()}; choose an instant between them"
    )
