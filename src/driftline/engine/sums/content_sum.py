"""A hash of some rows that can be added up: it depends neither on their order nor on how they were cut. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from driftline.engine.catalogue import ColumnKind
from driftline.engine.results import EVENT_TIME, ID
from driftline.engine.spec import ColumnSpec
from driftline.engine.sums.row_hashes import Hashes, combine_hashes, number_hashes, text_hashes

_SEEDS = (0x51ED270B, 0x2545F491)
_WORD = 2**64
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # splitmix64 (Steele et al. 2014)


@dataclass(frozen=True, slots=True)
class ContentSum:
    """How many rows there are, and the sums of two 64-bit hashes of each row, modulo 2**64. Merges exactly.

    Two different sets of rows have the same sums with a chance of 1 in 2**64 or less; they do not defend against
    somebody who looks for such rows.
    """

    rows: int = 0
    sums: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, frame: pd.DataFrame, columns: Sequence[ColumnSpec]) -> Self:
        """Hash rows by event time, id and `columns`; 1 and 1.0 are the same, and so are None and NaN."""
        times = frame[EVENT_TIME].dt.as_unit("us").astype("int64").to_numpy().view(np.uint64)
        parts = [
            times,
            text_hashes(frame[ID]),
            *(_hashes(frame, column) for column in columns),
        ]
        first, second = (_sum(combine_hashes(parts, len(frame), seed)) for seed in _SEEDS)
        return cls(len(frame), (first, second))

    def merge(self, other: "ContentSum") -> "ContentSum":
        """Add the rows of both."""
        first, second = ((a + b) % _WORD for a, b in zip(self.sums, other.sums, strict=True))
        return ContentSum(self.rows + other.rows, (first, second))

    def __str__(self) -> str:
        """Return the number of rows and the sums as one text."""
        return " ".join(f"{number:x}" for number in (self.rows, *self.sums))


def _hashes(frame: pd.DataFrame, column: ColumnSpec) -> Hashes:
    series = frame[column.name]
    return number_hashes(series) if column.kind is ColumnKind.CONTINUOUS else text_hashes(series)


def _sum(hashes: Hashes) -> int:
    """Add up hashes, each mixed once more so that the sum of two says nothing about their columns."""
    hashes = (hashes ^ (hashes >> np.uint64(30))) * _FIRST
    hashes = (hashes ^ (hashes >> np.uint64(27))) * _SECOND
    return int((hashes ^ (hashes >> np.uint64(31))).sum(dtype=np.uint64))
