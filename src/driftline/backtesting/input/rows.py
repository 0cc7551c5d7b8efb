"""Rows of the data with their event times and row numbers. No I/O here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from driftline.backtesting.input.read_options import MissingWords, ReadOptions
from driftline.backtesting.input.sources.sources import ReadAgainError, TableSource
from driftline.backtesting.input.values.epochs import epoch_unit
from driftline.backtesting.input.values.instants import microseconds
from driftline.backtesting.input.values.missing import without_missing_words
from driftline.backtesting.input.values.storage import with_plain_dtype
from driftline.backtesting.options import python_option
from driftline.engine.catalogue import ColumnKind
from driftline.engine.frames.columns import IntArray

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some rows with the data's columns; `times` in microseconds since 1970, `numbers` from 1 in the data's order."""

    frame: pd.DataFrame
    times: IntArray
    numbers: IntArray

    def __len__(self) -> int:
        return len(self.times)

    def take(self, positions: "slice | IntArray") -> "Rows":
        """Return the rows at these positions; a slice copies nothing. A frame without columns is left unchanged."""
        frame = self.frame.iloc[positions] if len(self.frame.columns) else self.frame
        return Rows(frame, self.times[positions], self.numbers[positions])

    def in_order(self) -> "Rows":
        """Return the rows sorted by event time; the sort is stable."""
        if bool(np.all(self.times[1:] >= self.times[:-1])):
            return self
        return self.take(np.argsort(self.times, kind="stable"))

    def split(self, instant: int) -> tuple["Rows", "Rows"]:
        """Return the rows before `instant` (microseconds) and those from it on; the rows must be sorted."""
        position = int(np.searchsorted(self.times, instant))
        return self.take(slice(position)), self.take(slice(position, None))


def read(source: TableSource, request: ReadOptions, columns: Sequence[str]) -> Iterator[Rows]:
    """Yield all rows of `source`, each block sorted by event time."""
    offset = 0
    unit: str | None = None
    for block in source.blocks(columns, _code_columns(request)):
        frame = normalize(block, request)
        event_times = frame[request.timestamp]
        unit = unit or epoch_unit(event_times)
        times = microseconds(event_times, request.zone, offset, unit, in_pandas=request.option is python_option)
        numbers = np.arange(offset + 1, offset + 1 + len(frame), dtype=np.int64)
        offset += len(frame)
        if len(frame):
            yield Rows(frame, times, numbers).in_order()


def normalize(block: pd.DataFrame, request: MissingWords) -> pd.DataFrame:
    """Return a block with plain dtypes, and with words for a missing value replaced by missing values."""
    block.index = pd.RangeIndex(len(block))
    columns, changed = {}, False
    for name, column in block.items():
        words = request.missing_words(str(name))
        columns[str(name)] = plain = without_missing_words(with_plain_dtype(column), words)
        changed |= plain is not column
    return pd.DataFrame(columns, copy=False) if changed else block


def read_all(
    source: TableSource, request: ReadOptions, columns: Sequence[str], extract: Callable[[Rows], T]
) -> list[T]:
    """Return the values of `extract` for all blocks of `source`; a block that is read again is extracted again."""
    while True:
        try:
            return [extract(rows) for rows in read(source, request, columns)]
        except ReadAgainError:
            continue


def _code_columns(request: ReadOptions) -> frozenset[str]:
    """Return the columns with codes: categorical features and the id, even if they are written in digits."""
    categorical = {name for name, kind in request.kinds.items() if kind is ColumnKind.CATEGORICAL}
    return frozenset(categorical | ({request.id} if request.id else set()))


def concatenate(parts: Sequence[Rows]) -> Rows:
    """Return rows of several blocks as one, sorted by event time."""
    if len(parts) == 1:
        return parts[0]
    frames = [part.frame for part in parts]
    columns = {name: _concatenate_series([frame[name] for frame in frames]) for name in frames[0].columns}
    joined = Rows(
        pd.DataFrame(columns, copy=False),
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.numbers for part in parts]),
    )
    return joined.in_order()


def _concatenate_series(series: "Sequence[pd.Series[Any]]") -> "pd.Series[Any]":
    if all(isinstance(part.dtype, pd.CategoricalDtype) for part in series):
        return pd.Series(union_categoricals(list(series)))
    joined: pd.Series[Any] = pd.concat(series, ignore_index=True)
    return joined
