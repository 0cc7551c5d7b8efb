"""Reads the values of a column: finite numbers or counted categories, and the number of missing values. No I/O here."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from math import inf, nan
from numbers import Integral, Real
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.extensions import ExtensionArray, ExtensionDtype

from driftline.engine.frames.stray_values import StrayValues
from driftline.errors import InvalidInput

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

LARGEST = 1e70
"""Numbers of a larger absolute value are read as infinite. Sums of fourth powers of the others, and of squared squared
errors, stay finite for any number of rows."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """A continuous column: its finite `values` in row order, and the numbers of missing and of infinite values.

    Absolute values above 1e70 (`LARGEST`) count as infinite.
    """

    values: FloatArray
    missing: int
    infinite: int

    @cached_property
    def ordered(self) -> FloatArray:
        """The values in ascending order, sorted once."""
        return np.sort(self.values)


@dataclass(frozen=True, slots=True)
class Categories:
    """A categorical column: the number of rows of each category, and of rows without a category."""

    counts: dict[str, int]
    missing: int

    @property
    def rows(self) -> int:
        """The number of rows with a category."""
        return sum(self.counts.values())


def numbers(column: "pd.Series[Any]") -> Numbers:
    """Read the finite values of `column` (numeric, or objects that are numbers or None).

    Infinite values are counted and left out, since no distance to them is defined. Raises InvalidInput for text.
    """
    raw = as_floats(column)
    finite = raw[np.isfinite(raw)]
    infinite = int(np.isinf(raw).sum())
    return Numbers(finite, missing=len(raw) - len(finite) - infinite, infinite=infinite)


def as_floats(column: "pd.Series[Any]") -> FloatArray:
    """Return `column` as floats, NaN where a value is missing; durations are seconds.

    An absolute value above 1e70 (`LARGEST`) becomes infinite, with its sign. Raises InvalidInput for values that are
    not numbers, with their count and the first of them.
    """
    raw, stray = floats_and_strays(column)
    if stray.any():
        strays = StrayValues.of(column, stray, np.arange(1, len(column) + 1))
        msg = f"column {column.name!r} has {strays}; clean it, or declare it categorical"
        raise InvalidInput(msg)
    return raw


def floats_and_strays(column: "pd.Series[Any]") -> tuple[FloatArray, BoolArray]:
    """Return `column` as `as_floats` does, with NaN for values that are not numbers, and a mask of those rows."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = np.asarray(column.cat.codes, dtype=np.int64)
        floats, stray = floats_and_strays(pd.Series(column.cat.categories, name=column.name))
        return np.append(floats, np.nan)[codes], np.append(stray, False)[codes]
    try:
        raw, stray = _floats(column), np.zeros(len(column), dtype=bool)
    except (TypeError, ValueError, OverflowError):  # also a whole number too large for any float
        raw, stray = _floats_one_by_one(column)
    if len(raw) and max(np.fmax.reduce(raw), -np.fmin.reduce(raw)) > LARGEST:
        raw = np.where(np.abs(raw) > LARGEST, np.copysign(np.inf, raw), raw)
    return raw, stray


def _floats(column: "pd.Series[Any]") -> FloatArray:
    """Convert all values to floats at once; raises an error for columns whose values must be converted one by one."""
    if column.dtype.kind == "m":
        seconds: FloatArray = column.dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan)
        return seconds
    if column.dtype.kind in "cM" or isinstance(column.dtype, pd.PeriodDtype):
        raise TypeError
    return column.to_numpy(dtype=np.float64, na_value=np.nan, copy=False)


def _floats_one_by_one(column: "pd.Series[Any]") -> tuple[FloatArray, BoolArray]:
    values = [_float(value) for value in column.tolist()]
    stray = np.array([value is None for value in values], dtype=bool)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64), stray


def _float(value: Any) -> float | None:
    """Return a value as a float, NaN for one that is missing; None for one that is not a number."""
    if value is None or value is pd.NA or value is pd.NaT:
        return nan
    if isinstance(value, timedelta):
        return value.total_seconds()
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf
    except (TypeError, ValueError):
        return None


def categories(column: "pd.Series[Any]") -> Categories:
    """Count the categories of `column`, of any type; None and NaN are missing."""
    codes, texts = coded(column)
    sizes = np.bincount(codes + 1, minlength=len(texts) + 1).tolist()
    counts: dict[str, int] = {}
    for text, size in zip(texts, sizes[1:], strict=True):
        if size:
            counts[text] = counts.get(text, 0) + size
    return Categories(counts, missing=sizes[0])


def coded(column: "pd.Series[Any]") -> tuple[IntArray, list[str]]:
    """Return the code of each row, -1 where it is missing, and the text of each code.

    Equal values that are stored differently (1 and "1") have two codes with the same text. The cost is one hash of each
    row, none for a pandas Categorical, and more work for each distinct value. Raises InvalidInput for values that
    cannot be hashed, such as lists.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        return np.asarray(column.cat.codes, dtype=np.int64), _texts(column.cat.categories)
    try:
        codes, uniques = pd.factorize(column.array if _is_nullable_integer(column) else column.to_numpy())
    except TypeError as exc:
        msg = f"column {column.name!r} holds values that are neither numbers nor text; leave it out or clean it ({exc})"
        raise InvalidInput(msg) from exc
    return np.asarray(codes, dtype=np.int64), _texts(uniques)


def _is_nullable_integer(column: "pd.Series[Any]") -> bool:
    """Return whether numpy would store missing values of these integers or booleans as floats, inexact above 2**53."""
    return isinstance(column.dtype, ExtensionDtype) and column.dtype.kind in "iub"


def _texts(uniques: "pd.Index[Any] | npt.NDArray[Any] | ExtensionArray") -> list[str]:
    values = uniques.tolist()
    if uniques.dtype.kind in "iu":
        return list(map(str, values))
    return [value if type(value) is str and value.isascii() else category(value) for value in values]


def category(value: object) -> str:
    """Return a category as text that does not depend on how it is stored: 1, 1.0, True and "1" are all "1".

    Half of a character (a lone surrogate), which no file can store, becomes a question mark.
    """
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Decimal) and value.is_finite():
        return str(int(value)) if value == value.to_integral_value() else repr(float(value))
    if isinstance(value, Real):
        return str(int(float(value))) if float(value).is_integer() else repr(float(value))
    return str(value)
