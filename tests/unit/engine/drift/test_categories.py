"""The methods of categorical columns against scipy, and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency

from driftline.engine.drift import chi2, jensen_shannon
from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.frames.columns import categories, category

COUNTS = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 500), min_size=1)


@given(COUNTS, COUNTS)
def test_chi2_is_the_one_of_the_contingency_table(reference: dict[str, int], chunk: dict[str, int]) -> None:
    names = reference.keys() | chunk.keys()
    table = np.array([[side.get(name, 0) for name in sorted(names)] for side in (reference, chunk)])
    outcome = chi2.finish(Frequencies(reference), Frequencies(chunk))
    expected = chi2_contingency(table)
    assert outcome.value == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert outcome.p_value == pytest.approx(expected.pvalue, rel=1e-9, abs=1e-12)
    assert outcome.rows == sum(chunk.values())


def test_the_effect_of_chi2_does_not_grow_with_the_rows() -> None:
    few = chi2.finish(Frequencies({"a": 60, "b": 30, "c": 10}), Frequencies({"a": 40, "b": 50, "c": 10}))
    many = chi2.finish(Frequencies({"a": 6000, "b": 3000, "c": 1000}), Frequencies({"a": 4000, "b": 5000, "c": 1000}))
    assert few.value == pytest.approx(9.0)
    assert many.value == pytest.approx(900.0)
    assert few.effect == pytest.approx(many.effect)


@given(COUNTS, COUNTS)
def test_unseen_categories_count_as_one(reference: dict[str, int], chunk: dict[str, int]) -> None:
    reference_counts = [chunk.get(name, 0) for name in reference]
    unseen = sum(chunk.values()) - sum(reference_counts)
    expected = jensenshannon([*reference.values(), 0], [*reference_counts, unseen], base=2)
    outcome = jensen_shannon.finish(Frequencies(reference), Frequencies(chunk))
    assert outcome.value == pytest.approx(np.nan_to_num(expected), rel=1e-9, abs=1e-7)


@pytest.mark.parametrize(
    ("values", "text"),
    [([1, 1.0, True, np.int8(1), np.float32(1), "1"], "1"), ([0.5, np.float64(0.5)], "0.5"), ([float("inf")], "inf")],
)
def test_a_category_is_the_same_however_it_was_stored(values: list[object], text: str) -> None:
    assert {category(value) for value in values} == {text}


def test_missing_is_no_category() -> None:
    counted = categories(pd.Series(["a", None, 2, np.nan, "a", pd.NA], dtype=object))
    assert (counted.counts, counted.missing, counted.rows) == ({"a": 2, "2": 1}, 3, 3)
