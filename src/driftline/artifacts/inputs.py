"""From rows to the matrix that trees take. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftline.errors import InvalidInput

Matrix = npt.NDArray[np.float64]
MOST_FAULTS = 20
"""How many faults of rows are listed."""
LARGEST = 10**18
"""Whole numbers from here on are not features: a float does not hold them, and the monitor refuses them."""


@dataclass(frozen=True)
class Inputs:
    """The features of a model in the order of its trees, and what happens to their values before.

    `categories` has the number of each category of a categorical feature; a category that it does not have is missing.
    `logged` are the features of which log1p is taken; a missing value becomes that of `filled`, or stays missing.
    """

    features: tuple[str, ...]
    categories: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    logged: frozenset[str] = frozenset()
    filled: Mapping[str, float] = field(default_factory=dict)

    def matrix(self, rows: Sequence[Mapping[str, Any]]) -> Matrix:
        """Return one line for each row; None and NaN are missing.

        Raises:
            InvalidInput: with every value that is not a number, or not a text where the feature is categorical.
        """
        require_valid(self._faults(rows))
        values = np.array([[self._number(name, row[name]) for name in self.features] for row in rows], np.float64)
        return self._prepare(values.reshape(len(rows), len(self.features)))

    def matrix_of(self, frame: pd.DataFrame) -> Matrix:
        """Return one line for each row of a frame that has the features; a missing value is NaN, None or NA."""
        columns = [
            frame[name].map(self.categories[name]) if name in self.categories else frame[name] for name in self.features
        ]
        values = [column.to_numpy(np.float64, na_value=np.nan) for column in columns]
        return self._prepare(np.column_stack(values))

    def _prepare(self, values: Matrix) -> Matrix:
        """Take the logarithms and fill what is missing, in place."""
        for place, name in enumerate(self.features):
            column = values[:, place]
            if name in self.logged:
                column[column <= -1] = np.nan  # as in Spark, which has no logarithm of them
                np.log1p(column, out=column)
            if name in self.filled:
                column[np.isnan(column)] = self.filled[name]
        return values

    def _number(self, name: str, value: Any) -> float | None:
        if name not in self.categories:
            return None if value is None else float(value)
        return self.categories[name].get(str(value))

    def _expected(self, name: str) -> str:
        return "a text" if name in self.categories else "a number"

    def _faults(self, rows: Sequence[Mapping[str, Any]]) -> "chain[str]":
        return chain.from_iterable(self._faults_of(number, row) for number, row in enumerate(rows, 1))

    def _faults_of(self, number: int, row: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with the values of a row; most rows have nothing wrong."""
        return [
            f"row {number}: {name!r} is {value!r:.80}; send {self._expected(name)} or null."
            for name in self.features
            if not _is_usable(value := row[name], categorical=name in self.categories)
        ]


def _is_usable(value: object, *, categorical: bool) -> bool:
    if value is None:
        return True
    if categorical:
        return isinstance(value, str | int | float)
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < LARGEST)


def require_valid(faults: "chain[str] | list[str]") -> None:
    """Raise one InvalidInput that lists the first faults; nothing where there are none."""
    first = [*islice(faults, MOST_FAULTS + 1)]
    if first:
        more = ["and more; correct these first."] if len(first) > MOST_FAULTS else []
        raise InvalidInput("The rows cannot be scored.", details=(*first[:MOST_FAULTS], *more))
