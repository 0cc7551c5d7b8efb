"""Columns are read for what their values mean, however these are stored."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from driftline.engine.frames.columns import Categories, as_floats, categories, coded, floats_and_strays, numbers
from driftline.engine.frames.stray_values import StrayValues
from driftline.errors import InvalidInput

NEAR = [2**60, 2**60 + 1, 2**60 + 2, None]
"""Whole numbers that are one and the same as floats."""


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "UInt64", "uint64[pyarrow]", object])
def test_large_whole_numbers_stay_apart_where_one_is_missing(dtype: str | type) -> None:
    column = pd.Series(NEAR, dtype=dtype)
    codes, texts = coded(column)
    assert [*(texts[code] for code in codes[:3]), codes[3]] == [str(2**60), str(2**60 + 1), str(2**60 + 2), -1]
    assert categories(column) == Categories(dict.fromkeys(texts, 1), missing=1)


@pytest.mark.parametrize("dtype", ["boolean", "bool[pyarrow]", object])
def test_booleans_are_1_and_0_where_one_is_missing(dtype: str | type) -> None:
    assert categories(pd.Series([True, False, True, None], dtype=dtype)) == Categories({"1": 2, "0": 1}, missing=1)


@pytest.mark.parametrize("dtype", ["Int64", "int64[pyarrow]", "float64", "Float64", "double[pyarrow]", "category"])
def test_the_type_of_a_column_says_nothing(dtype: Any) -> None:
    assert categories(pd.Series([1, 2, 1, np.nan]).astype(dtype)) == Categories({"1": 2, "2": 1}, missing=1)


def test_a_number_above_1e70_in_size_is_infinite() -> None:
    extreme_values = pd.Series([1e70, -1e70, 1.1e70, -1.797e308, np.inf, np.nan, 5e-324])
    assert as_floats(extreme_values).tolist()[:5] == [1e70, -1e70, np.inf, -np.inf, np.inf]
    read = numbers(extreme_values)
    assert (read.ordered.tolist(), read.missing, read.infinite) == ([-1e70, 5e-324, 1e70], 1, 3)


def test_so_is_a_whole_number_too_large_for_a_float() -> None:
    extreme_values = pd.Series([10**400, -(10**400), 2, None, pd.NA, True], dtype=object)
    assert numbers(extreme_values).ordered.tolist() == [1, 2]
    assert (numbers(extreme_values).missing, numbers(extreme_values).infinite) == (2, 2)
    with pytest.raises(InvalidInput, match=r"1 value that is not a number \(.many., row 2\)"):
        as_floats(pd.Series([10**400, "many"], dtype=object, name="usage"))


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [1.0, np.nan], [1.0, 2.0]])
def test_numbers_that_are_none_too_large_are_as_they_were(values: list[float]) -> None:
    np.testing.assert_array_equal(as_floats(pd.Series(values, dtype=float)), np.array(values))


SECONDS = [1.5, 86_400.0, np.nan]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([timedelta(seconds=1.5), timedelta(days=1), None], dtype=object),
        pd.Series(pd.to_timedelta([1.5, 86_400, None], unit="s")),
        pd.Series(pd.to_timedelta([1.5, 86_400, None], unit="s")).astype("duration[ns][pyarrow]"),
        pd.Series([Decimal("1.5"), Decimal(86_400), None], dtype=object),
        pd.Series([Decimal("1.5"), Decimal(86_400), None], dtype=pd.ArrowDtype(pa.decimal128(12, 3))),
        pd.Series([" 1.5", "86400 ", None], dtype=object),
        pd.Series(["1.5", "86400", None], dtype="string[pyarrow]"),
        pd.Series(["1.5", "86400", None], dtype="category"),
        pd.Series([1.5, 86_400, None], dtype="category"),
        pd.Series([Fraction(3, 2), 86_400, None], dtype=object),
    ],
    ids=lambda column: f"{column.dtype} {type(column[0]).__name__}",
)
def test_numbers_are_numbers_however_they_are_stored(column: "pd.Series[Any]") -> None:
    np.testing.assert_array_equal(as_floats(column), SECONDS)


@pytest.mark.parametrize(
    ("values", "strays"),
    [
        (["1", "ERR", None, "2"], r"1 value that is not a number \('ERR', row 2\)"),
        ([1, " ", "many"], r"2 values that are not numbers \(first ' ', row 2\)"),
        (pd.Categorical(["1", "ERR", "ERR"], categories=["never", "ERR", "1"]), r"2 values .* \(first 'ERR', row 2\)"),
        ([1 + 2j], r"1 value that is not a number \(\(1\+2j\), row 1\)"),
        (pd.to_datetime(["2026-01-31"]), r"1 value that is not a number \(2026-01-31 00:00:00, row 1\)"),
        (["x" * 1_000], r"1 value that is not a number \('x{56}\.\.\., row 1\)"),
    ],
)
def test_stray_values_are_counted_and_the_first_is_named(values: Any, strays: str) -> None:
    with pytest.raises(InvalidInput, match=f"column 'amount' has {strays}; clean it, or declare it categorical"):
        as_floats(pd.Series(values, name="amount"))


def test_stray_values_of_parts_are_those_of_the_whole() -> None:
    column = pd.Series(["1", "b", "c", "d"])
    stray = floats_and_strays(column)[1]
    rows = np.array([9, 7, 3, 5])
    parts = [StrayValues.of(column[part], stray[part], rows[part]) for part in (slice(2), slice(2, 4))]
    assert parts[0].merge(parts[1]) == parts[1].merge(parts[0]) == StrayValues.of(column, stray, rows)
    assert StrayValues.of(column, stray, rows) == StrayValues(3, "c", 3)


def test_a_decimal_is_the_category_of_its_number() -> None:
    column = pd.Series([Decimal("1.50"), Decimal("2.00"), Decimal(10**20)], dtype=object)
    assert list(categories(column).counts) == ["1.5", "2", str(10**20)]
