"""UnseenCounts categories and values out of range."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.frames.columns import categories, numbers
from driftline.engine.outcome import Outcome
from driftline.engine.quality import out_of_range, unseen_categories
from tests.unit.engine.frame_builders import SPEC

LOOSE = SPEC.model_copy(update={"minimum_rows": 2})
TEXTS = st.lists(st.sampled_from(["a", "b", "new", "newer", None]), min_size=2, max_size=40)
FLOATS = st.lists(st.sampled_from([-1.0, 0.0, 5.0, 10.0, 11.0, np.nan, np.inf]), min_size=2, max_size=40)


def _unseen(reference: list[str | None], chunk: list[str | None]) -> Outcome:
    state = unseen_categories.fit(categories(pd.Series(reference, dtype=object)))
    state = unseen_categories.KnownCategories.from_dict(state.to_dict())
    return unseen_categories.finish(
        state, unseen_categories.summarize(state, categories(pd.Series(chunk, dtype=object))), LOOSE
    )


def _outside(reference: list[float], chunk: list[float]) -> Outcome:
    state = out_of_range.ReferenceRange.from_dict(
        out_of_range.fit(numbers(pd.Series(reference, dtype=float))).to_dict()
    )
    return out_of_range.finish(state, out_of_range.summarize(state, numbers(pd.Series(chunk, dtype=float))), LOOSE)


def test_the_most_frequent_unseen_category_is_named() -> None:
    result = _unseen(["a", "b"], ["a", "new", "new", "newer", "b"])
    assert (result.value, result.rows, result.effect) == (0.6, 5, 0.6)
    assert result.reason == "2 categories that the reference lacks, most often 'new' (2 rows)"


def test_a_missing_value_is_unseen_but_has_no_effect() -> None:
    result = _unseen(["a", "b"], ["a", None, "new", "b"])
    assert (result.value, result.effect) == (0.5, 0.25)
    assert "1 missing values count as unseen, since the reference has none" in (result.reason or "")
    assert _unseen(["a", None], ["a", None, "a", "a"]).value == 0.0


def test_a_category_is_seen_however_it_was_stored() -> None:
    state = unseen_categories.fit(categories(pd.Series([1, 2])))
    for stored in (pd.Series(["1", "2"]), pd.Series([1.0, 2.0]), pd.Series(["2"], dtype="category")):
        assert unseen_categories.summarize(state, categories(stored)).counts == {}


@given(TEXTS, TEXTS, TEXTS)
def test_parts_of_unseen_categories_merge(
    reference: list[str | None], first: list[str | None], second: list[str | None]
) -> None:
    state = unseen_categories.fit(categories(pd.Series(reference, dtype=object)))
    parts = [unseen_categories.summarize(state, categories(pd.Series(part, dtype=object))) for part in (first, second)]
    merged = parts[1].merge(parts[0])
    assert unseen_categories.finish(state, merged, LOOSE) == _unseen(reference, first + second)
    assert merged == parts[0].merge(parts[1])


def test_values_beyond_the_range_are_counted_on_both_sides() -> None:
    result = _outside([0.0, 10.0, 3.0], [0.0, 10.0, -1.0, 10.5, 11.0, np.nan, -np.inf, 5.0])
    assert (result.value, result.rows, result.effect) == (0.5, 8, 0.5)
    assert result.reason == "1 values below 0; 2 values above 10; 1 infinite values (above 1e+70 in size)"


def test_infinite_values_of_the_reference_do_not_widen_its_range() -> None:
    assert _outside([0.0, np.inf, 1.0], [2.0, 0.5]).value == 0.5


def test_a_reference_without_values_has_no_range() -> None:
    result = _outside([np.nan], [1.0, 2.0])
    assert result.value is None
    assert result.reason == "the reference has no values of this column to compare with"


@given(FLOATS, FLOATS)
def test_parts_of_values_out_of_range_merge(first: list[float], second: list[float]) -> None:
    state = out_of_range.ReferenceRange(0.0, 10.0)
    parts = [out_of_range.summarize(state, numbers(pd.Series(part))) for part in (first, second)]
    merged = parts[0].merge(parts[1])
    assert out_of_range.finish(state, merged, LOOSE) == _outside([0.0, 10.0], first + second)
    assert merged == parts[1].merge(parts[0])


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_say_nothing(rows: int) -> None:
    for result in (_unseen(["a"], ["new"] * rows), _outside([0.0], [1.0] * rows)):
        assert result.value is None
        assert result.reason == f"{rows} rows, fewer than the minimum of 2"
