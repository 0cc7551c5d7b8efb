"""Repeated rows: a prediction that was sent twice counts once. No I/O here."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.rows import Rows
from driftline.backtesting.options import OptionStyle
from driftline.engine.frames.columns import BoolArray, IntArray, coded
from driftline.errors import InvalidInput

Hashes = npt.NDArray[np.uint64]
_NO_ROWS = np.empty(0, dtype=np.int64)
_FACTOR = np.uint64(6_364_136_223_846_793_005)
"""Mixes the hashes of columns in their order (Knuth's multiplier)."""


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """The rows to drop, and the number of ids that stay ambiguous.

    `dropped` are the numbers of rows that equal an earlier row in id, time and all values, in ascending order.
    `ambiguous` counts the ids that two or more of the remaining rows have.
    """

    dropped: IntArray = field(default_factory=lambda: _NO_ROWS)
    ambiguous: int = 0

    def remove(self, rows: Rows) -> Rows:
        """Return the rows without the dropped ones."""
        if not len(self.dropped):
            return rows
        remaining = np.flatnonzero(~np.isin(rows.numbers, self.dropped))
        return rows if len(remaining) == len(rows) else rows.take(remaining)

    def notes(self, option: OptionStyle) -> Iterator[Inference]:
        """Yield a note on dropped rows, and one on ambiguous ids, if there are any."""
        count = len(self.dropped)
        if count:
            value = f"rows that repeat the id, time and values of another row: {count:,}; none is counted twice"
            yield Inference("id", value, "a prediction that is sent twice is one prediction", notable=True)
        if self.ambiguous:
            value = f"ids of two or more rows with different times or values: {self.ambiguous:,}; every row counts"
            yield Inference("id", value, f"{option('id')} should tell predictions apart", notable=True)


@dataclass(frozen=True, slots=True, eq=False)
class RowIds:
    """The ids of some rows as hashes, with the rows' times and numbers; rows without an id are left out."""

    hashes: Hashes
    times: IntArray
    numbers: IntArray

    @classmethod
    def of(cls, rows: Rows, column: str, *, only_block: bool = False) -> "RowIds":
        """Hash the ids of rows; an id has the same hash in every block, whatever its dtype.

        Those of an only block need no hashes if they are whole numbers of which none is repeated; none is returned.
        """
        ids = rows.frame[column]
        if only_block and isinstance(ids.dtype, np.dtype) and ids.dtype.kind in "iu" and _are_unique(ids):
            return cls(np.empty(0, dtype=np.uint64), _NO_ROWS, _NO_ROWS)
        hashes, present = _hash_texts(ids)
        return cls(hashes[present], rows.times[present], rows.numbers[present])

    @classmethod
    def concatenate(cls, parts: Iterable["RowIds"]) -> "RowIds":
        """Return the ids of several blocks as one."""
        listed = list(parts)
        return cls(
            np.concatenate([part.hashes for part in listed]),
            np.concatenate([part.times for part in listed]),
            np.concatenate([part.numbers for part in listed]),
        )

    def where(self, mask: BoolArray) -> "RowIds":
        """Return the selected rows."""
        return RowIds(self.hashes[mask], self.times[mask], self.numbers[mask])


def _are_unique(ids: "pd.Series[Any]") -> bool:
    """Return whether no whole number is repeated; those that ascend, as most ids do, need no hash table."""
    values = ids.to_numpy()
    return bool(np.all(values[1:] > values[:-1])) or bool(ids.is_unique)


def find_repeats(ids: RowIds, content_of: Callable[[IntArray], pd.Series]) -> Repeats:
    """Return the repeated rows; `content_of` hashes all values of the rows with given numbers, indexed by number."""
    several = ids.where(pd.Series(ids.hashes).duplicated(keep=False).to_numpy())
    if not len(several.numbers):
        return Repeats()
    table = pd.DataFrame({"id": several.hashes, "time": several.times, "number": several.numbers}).sort_values("number")
    same_time = table[table.duplicated(["id", "time"], keep=False)]
    equal = _NO_ROWS
    if len(same_time):
        content = content_of(np.sort(same_time.number.to_numpy()))
        contents = same_time.assign(content=content.loc[same_time.number].to_numpy())
        equal = contents.number[contents.duplicated(["id", "time", "content"])].to_numpy()
    remaining = table[~table.number.isin(equal)]
    ambiguous = int((remaining.id.value_counts() > 1).sum())
    return Repeats(np.sort(equal), ambiguous)


def hash_rows(rows: Rows, numbers: IntArray) -> pd.Series:
    """Return a hash of all values of each row that has one of these (ascending) numbers, indexed by number."""
    positions = np.flatnonzero(np.isin(rows.numbers, numbers))
    hashes = np.zeros(len(positions), dtype=np.uint64)
    for name in rows.frame.columns:
        hashes = hashes * _FACTOR + _hash_values(rows.frame[name].iloc[positions])
    return pd.Series(hashes, index=rows.numbers[positions])


def _hash_values(series: "pd.Series[Any]") -> Hashes:
    """Return a hash of each value, independent of its dtype; missing values have equal hashes."""
    if pd.api.types.is_numeric_dtype(series.dtype):
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
        return pd.util.hash_array(np.where(np.isnan(numbers), np.nan, numbers + 0.0))
    try:
        hashes, present = _hash_texts(series)
    except InvalidInput:  # lists and the like
        return pd.util.hash_array(np.array([repr(value) for value in series], dtype=object), categorize=False)
    return np.where(present, hashes, np.uint64(0))


def _hash_texts(series: "pd.Series[Any]") -> tuple[Hashes, BoolArray]:
    """Return a hash of each value as text, and a mask of the values that are not missing."""
    codes, texts = coded(series)
    hashes = pd.util.hash_array(np.array([*texts, ""], dtype=object), categorize=False)
    return hashes[codes], codes >= 0
