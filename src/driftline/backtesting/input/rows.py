"""Rows of the data with their event times and row numbers, and which of them are the reference. No I/O here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from driftline.backtesting.input.epochs import epoch_unit
from driftline.backtesting.input.instants import microseconds
from driftline.backtesting.input.missing import without_missing_words
from driftline.backtesting.input.read_options import ReadOptions
from driftline.backtesting.input.sources import ReadAgainError, Source
from driftline.backtesting.input.storage import stored_plainly
from driftline.engine.catalogue import ColumnKind
from driftline.engine.columns import IntArray

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some rows as the data has them; `times` in microseconds since 1970, `numbers` from 1 in the data's order."""

    frame: pd.DataFrame
    times: IntArray
    numbers: IntArray

    def __len__(self) -> int:
        return len(self.times)

    def take(self, places: "slice | IntArray") -> "Rows":
        """Return the rows at these places; of a slice nothing is copied. A frame without columns stays as it is."""
        frame = self.frame.iloc[places] if len(self.frame.columns) else self.frame
        return Rows(frame, self.times[places], self.numbers[places])

    def in_order(self) -> "Rows":
        """Return the rows by event time, those of one instant in their given order."""
        if bool(np.all(self.times[1:] >= self.times[:-1])):
            return self
        return self.take(np.argsort(self.times, kind="stable"))

    def split(self, instant: int) -> tuple["Rows", "Rows"]:
        """Return the rows before `instant` (microseconds) and those from it on; they must be in order."""
        place = int(np.searchsorted(self.times, instant))
        return self.take(slice(place)), self.take(slice(place, None))


def read(source: Source, request: ReadOptions, columns: Sequence[str]) -> Iterator[Rows]:
    """Yield all rows of `source`, each block in the order of time."""
    before = 0
    unit: str | None = None
    for block in source.blocks(columns, _codes(request)):
        frame = _plain(block, request)
        event_times = frame[request.timestamp]
        unit = unit or epoch_unit(event_times)
        times = microseconds(event_times, request.zone, before, unit)
        numbers = np.arange(before + 1, before + 1 + len(frame), dtype=np.int64)
        before += len(frame)
        if len(frame):
            yield Rows(frame, times, numbers).in_order()


def _plain(block: pd.DataFrame, request: ReadOptions) -> pd.DataFrame:
    """Return a block with plain dtypes, and without a value where one of the words for that stands."""
    block.index = pd.RangeIndex(len(block))
    columns, changed = {}, False
    for name, column in block.items():
        words = request.missing_words(str(name))
        columns[str(name)] = plain = without_missing_words(stored_plainly(column), words)
        changed |= plain is not column
    return pd.DataFrame(columns, copy=False) if changed else block


def read_all(source: Source, request: ReadOptions, columns: Sequence[str], keep: Callable[[Rows], T]) -> list[T]:
    """Return what `keep` makes of each block of all rows of `source`; it may be shown them more than once."""
    while True:
        try:
            return [keep(rows) for rows in read(source, request, columns)]
        except ReadAgainError:
            continue


def _codes(request: ReadOptions) -> frozenset[str]:
    """Return the columns of which the values are names, even if they are written in digits."""
    categorical = {name for name, kind in request.kinds.items() if kind is ColumnKind.CATEGORICAL}
    return frozenset(categorical | ({request.id} if request.id else set()))


def together(parts: Sequence[Rows]) -> Rows:
    """Put rows together, in the order of time."""
    if len(parts) == 1:
        return parts[0]
    frames = [part.frame for part in parts]
    columns = {name: _joined([frame[name] for frame in frames]) for name in frames[0].columns}
    joined = Rows(
        pd.DataFrame(columns, copy=False),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.numbers for part in parts]),
    )
    return joined.in_order()


def _joined(series: "Sequence[pd.Series[Any]]") -> "pd.Series[Any]":
    if all(isinstance(part.dtype, pd.CategoricalDtype) for part in series):
        return pd.Series(union_categoricals(list(series)))
    joined: pd.Series[Any] = pd.concat(series, ignore_index=True)
    return joined
