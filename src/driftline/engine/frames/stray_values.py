"""Values that are not numbers in a column of numbers. No I/O here."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

LONGEST_SHOWN = 60
"""The number of characters of a value that a message shows."""


@dataclass(frozen=True, slots=True)
class StrayValues:
    """The values of a numeric column that are not numbers: their count, the first value, and its row from 1 on."""

    count: int
    first: Any
    row: int

    @classmethod
    def of(cls, column: "pd.Series[Any]", stray: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64]) -> "StrayValues":
        """Return the stray values of a column that has at least one; `rows` are its row numbers, in any order."""
        positions = np.flatnonzero(stray)
        first = positions[np.argmin(rows[positions])]
        return cls(len(positions), column.iloc[int(first)], int(rows[first]))

    def merge(self, other: "StrayValues") -> "StrayValues":
        """Merge the stray values of two parts of a column."""
        first = min(self, other, key=lambda part: part.row)
        return StrayValues(self.count + other.count, first.first, first.row)

    def __str__(self) -> str:
        example = f"{to_text(self.first)}, row {self.row:,}"
        if self.count == 1:
            return f"1 value that is not a number ({example})"
        return f"{self.count:,} values that are not numbers (first {example})"


def to_text(value: Any) -> str:
    """Return a value as text for a message: strings in quotes, long texts cut."""
    plain = value.item() if isinstance(value, np.generic) else value
    text = repr(plain) if isinstance(plain, str | bytes) else str(plain)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
