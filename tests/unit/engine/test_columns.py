"""Columns are read for what their values mean, however these are stored."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from driftline.engine.columns import Categories, categories, coded

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
