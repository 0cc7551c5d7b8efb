"""Rows become the matrix that trees take."""

from typing import Any

import numpy as np
import pytest

from driftline.artifacts.inputs import MOST_FAULTS, Inputs
from driftline.errors import InvalidInput


def test_numbers_missing_values_and_categories() -> None:
    inputs = Inputs(("a", "b"), {"b": {"x": 0, "y": 1}})
    rows: list[dict[str, Any]] = [
        {"a": 1, "b": "y"},
        {"a": None, "b": "unheard of"},
        {"a": float("nan"), "b": None},
        {"a": True, "b": "x"},
    ]
    expected = [[1, 1], [np.nan, np.nan], [np.nan, np.nan], [1, 0]]
    np.testing.assert_array_equal(inputs.matrix(rows), expected)


def test_a_logarithm_is_taken_before_a_missing_value_is_filled() -> None:
    inputs = Inputs(("a",), logged=frozenset({"a"}), filled={"a": 5.0})
    matrix = inputs.matrix([{"a": value} for value in (0, np.e - 1, None, -1, -3)])
    np.testing.assert_allclose(matrix[:, 0], [0, 1, 5, 5, 5])


def test_every_faulty_value_is_listed_up_to_a_limit() -> None:
    inputs = Inputs(("a", "b"), {"b": {"x": 0}})
    with pytest.raises(InvalidInput) as raised:
        inputs.matrix([{"a": "long", "b": "x"}, {"a": 1, "b": [1]}, {"a": 10**18, "b": "x"}])
    assert raised.value.details == (
        "row 1: 'a' is 'long'; send a number or null.",
        "row 2: 'b' is [1]; send a text or null.",
        "row 3: 'a' is 1000000000000000000; send a number or null.",
    )
    with pytest.raises(InvalidInput) as many:
        inputs.matrix([{"a": "long", "b": "x"}] * 100)
    assert len(many.value.details) == MOST_FAULTS + 1
