"""Columns are read for what their values mean, however these are stored."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.columns import Categories, as_floats, categories, coded, numbers
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
    given = pd.Series([1e70, -1e70, 1.1e70, -1.797e308, np.inf, np.nan, 5e-324])
    assert as_floats(given).tolist()[:5] == [1e70, -1e70, np.inf, -np.inf, np.inf]
    read = numbers(given)
    assert (read.ordered.tolist(), read.missing, read.infinite) == ([-1e70, 5e-324, 1e70], 1, 3)


def test_so_is_a_whole_number_too_large_for_a_float() -> None:
    given = pd.Series([10**400, -(10**400), 2, None, pd.NA, True], dtype=object)
    assert numbers(given).ordered.tolist() == [1, 2]
    assert (numbers(given).missing, numbers(given).infinite) == (2, 2)
    with pytest.raises(InvalidInput, match="values that are not numbers"):
        as_floats(pd.Series([10**400, "many"], dtype=object, name="usage"))


@pytest.mark.parametrize("values", [[], [np.nan, np.nan], [1.0, np.nan], [1.0, 2.0]])
def test_numbers_that_are_none_too_large_are_as_they_were(values: list[float]) -> None:
    np.testing.assert_array_equal(as_floats(pd.Series(values, dtype=float)), np.array(values))
