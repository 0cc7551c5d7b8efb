"""The words that stand for a missing value. No I/O here."""

from collections.abc import Collection
from contextlib import suppress
from typing import Any

import pandas as pd

MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "NaT", "None", "\\N", "n/a", "nan", "null",
)  # fmt: skip
"""Words for a missing value among numbers, times and booleans, and in label, prediction and scores."""
MISSING_TEXT = ("", "\\N")
"""Words for a missing value among categories and ids, where NA (Namibia's code) and None can be values."""


def without_missing_words(column: "pd.Series[Any]", words: Collection[str]) -> "pd.Series[Any]":
    """Return a column with these words replaced by missing values; in numbers, words such as -999 match as numbers."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories
        missing = categories[categories.isin(list(words))]
        return column.cat.remove_categories(missing) if len(missing) else column
    if pd.api.types.is_bool_dtype(column.dtype) or column.dtype.kind == "M":
        return column
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _mask(column, _numbers(words))
    try:
        return _mask(column, words)
    except TypeError:  # values that cannot be hashed, such as lists
        return column


def _mask(column: "pd.Series[Any]", values: Collection[Any]) -> "pd.Series[Any]":
    """Return a column with these values replaced by missing values."""
    missing = column.isin(list(values)) if values else None
    if missing is None or not missing.any():
        return column
    return (column.convert_dtypes() if column.dtype.kind in "iu" else column).mask(missing)


def _numbers(words: Collection[str]) -> list[float]:
    """Return the words that are numbers, such as -999."""
    numbers = []
    for word in words:
        with suppress(ValueError):
            numbers.append(float(word))
    return [number for number in numbers if number == number]  # noqa: PLR0124  (NaN is missing anyway)
