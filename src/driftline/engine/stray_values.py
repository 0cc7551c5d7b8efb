"""Values that are not numbers in a column of numbers. No I/O here."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

LONGEST_SHOWN = 60
"""How many characters of a value a message shows."""


@dataclass(frozen=True, slots=True)
class StrayValues:
    """Values that are not numbers in a column of numbers: how many, and the first with its row, counted from 1."""

    count: int
    first: Any
    row: int

    @classmethod
    def of(cls, column: "pd.Series[Any]", stray: npt.NDArray[np.bool_], rows: npt.NDArray[np.int64]) -> "StrayValues":
        """Return the stray values of a column that has some; `rows` are the numbers of its rows, in any order."""
        places = np.flatnonzero(stray)
        first = places[np.argmin(rows[places])]
        return cls(len(places), column.iloc[int(first)], int(rows[first]))

    def merge(self, other: "StrayValues") -> "StrayValues":
        """Return the stray values of both parts of a column."""
        first = min(self, other, key=lambda part: part.row)
        return StrayValues(self.count + other.count, first.first, first.row)

    def __str__(self) -> str:
        example = f"{shown(self.first)}, row {self.row:,}"
        if self.count == 1:
            return f"1 value that is not a number ({example})"
        return f"{self.count:,} values that are not numbers (first {example})"


def shown(value: Any) -> str:
    """Return a value as a message shows it: text in quotes, and cut where it is long."""
    plain = value.item() if isinstance(value, np.generic) else value
    text = repr(plain) if isinstance(plain, str | bytes) else str(plain)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
