"""Splits the rows into the reference and the analysis, and holds in memory as much of both as fits."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from driftline.backtesting.input.read_options import ReadOptions
from driftline.backtesting.input.repeats import Repeats, RowIds, find_repeats, hash_rows
from driftline.backtesting.input.rows import Rows, concatenate, read, read_all
from driftline.backtesting.input.sources.sources import TableSource
from driftline.backtesting.input.values.instants import as_datetime, as_microseconds
from driftline.backtesting.input.values.outlying_times import reject_outlying
from driftline.engine.frames.columns import IntArray
from driftline.errors import InvalidInput

Progress = Callable[[str, int], None]
"""Reports progress: the name of a step, and how many more rows it has done."""


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """The rows of the reference, and the analysis: `analysis_rows` where it fits in memory, else read by `analysis`.

    `times` and `numbers` are those of all rows of the analysis. `repeats` are left out of both.
    """

    source: TableSource
    request: ReadOptions
    until: int
    reference: Rows
    analysis_rows: Rows | None
    times: IntArray
    numbers: IntArray
    repeats: Repeats

    @property
    def newest(self) -> int:
        """The time of the newest event, in microseconds."""
        return int(self.times.max())

    def analysis(self) -> Iterator[Rows]:
        """Yield the rows of the analysis, each block sorted by event time."""
        if self.analysis_rows is not None:
            yield self.analysis_rows
            return
        for rows in read(self.source, self.request, columns_of(self.request, self.source)):
            analysis = self.repeats.remove(rows.split(self.until)[1])
            if len(analysis):
                yield analysis


def columns_of(request: ReadOptions, source: TableSource) -> tuple[str, ...]:
    """Return the columns to read: all, or the roles and the requested features."""
    if request.features is None:
        return source.columns
    return tuple(dict.fromkeys((*request.roles, *request.features)))


def split(source: TableSource, request: ReadOptions, ends: datetime, progress: Progress) -> Split:
    """Read all rows and split them: those before `ends` are the reference. Raises InvalidInput for an empty part."""
    until = as_microseconds(ends)

    def split_block(rows: Rows) -> tuple[Rows, Rows, RowIds | None]:
        progress("reading", len(rows))
        earlier, later = rows.split(until)
        ids = RowIds.of(rows, request.id, only_block=source.single_block) if request.id else None
        return (earlier, later, ids) if source.single_block else (_copy(earlier), _without_columns(later), ids)

    blocks = read_all(source, request, columns_of(request, source), split_block)
    _reject_outlying(request, [part for earlier, later, _ in blocks for part in (earlier, later)])
    repeats = _repeats(source, request, blocks)
    reference = _nonempty(repeats.remove(earlier) for earlier, _, _ in blocks)
    analysis = _nonempty(repeats.remove(later) for _, later, _ in blocks)
    if not reference or not analysis:
        raise _one_part_empty(request.option("reference_until", ends.isoformat()), [*reference, *analysis])
    analysis_rows = concatenate(analysis) if source.single_block else None
    times = np.concatenate([rows.times for rows in analysis])
    numbers = np.concatenate([rows.numbers for rows in analysis])
    return Split(source, request, until, concatenate(reference), analysis_rows, times, numbers, repeats)


def _repeats(source: TableSource, request: ReadOptions, blocks: Sequence[tuple[Rows, Rows, RowIds | None]]) -> Repeats:
    """Return the repeated rows; a file that is read in blocks is read again only if ids are repeated."""
    ids = [block[2] for block in blocks if block[2] is not None]
    if not ids:
        return Repeats()

    def content_of(numbers: IntArray) -> pd.Series:
        if source.single_block:
            hashes = [hash_rows(rows, numbers) for earlier, later, _ in blocks for rows in (earlier, later)]
        else:
            hashes = read_all(source, request, columns_of(request, source), lambda rows: hash_rows(rows, numbers))
        content: pd.Series = pd.concat(hashes)
        return content

    return find_repeats(RowIds.concatenate(ids), content_of)


def _reject_outlying(request: ReadOptions, parts: Sequence[Rows]) -> None:
    times = np.concatenate([rows.times for rows in parts] or [np.empty(0, dtype=np.int64)])
    numbers = np.concatenate([rows.numbers for rows in parts] or [np.empty(0, dtype=np.int64)])
    reject_outlying(times, numbers, request.timestamp, request.zone)


def _nonempty(parts: Iterable[Rows]) -> list[Rows]:
    return [rows for rows in parts if len(rows)]


def _copy(rows: Rows) -> Rows:
    """Return a copy: a slice of a block would keep the memory of the whole block."""
    return Rows(rows.frame.copy(), rows.times.copy(), rows.numbers.copy())


def _without_columns(rows: Rows) -> Rows:
    """Return a copy of the times and numbers alone, which does not keep the block's memory."""
    return Rows(rows.frame.iloc[:0, :0], rows.times.copy(), rows.numbers.copy())


def _one_part_empty(end: str, rows: list[Rows]) -> InvalidInput:
    if not rows:
        return InvalidInput("The data has no rows.")
    first = as_datetime(min(int(part.times[0]) for part in rows))
    last = as_datetime(max(int(part.times[-1]) for part in rows))
    return InvalidInput(
        f"{end} leaves no rows on one side of it: the events are from "
        f"{first.isoformat()} to {last.isoformat()}; choose an instant between them"
    )
