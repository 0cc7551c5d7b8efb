"""The hash of rows depends on their content alone: not on order, parts, or how values are stored."""

from functools import reduce

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.sums.content_sum import ContentSum
from tests.unit.engine.frame_builders import SPEC, scored_rows

COLUMNS = (*SPEC.columns, *SPEC.output_columns)


@given(st.integers(0, 60), st.integers(0, 99))
def test_parts_in_any_order_have_the_hash_of_the_whole(rows: int, seed: int) -> None:
    frame = scored_rows(rows, seed=seed)
    part = np.random.default_rng(seed).integers(0, 3, rows)
    parts = [ContentSum.of(frame[part == number], COLUMNS) for number in (2, 0, 1)]
    at_once = ContentSum.of(frame.sample(frac=1, random_state=seed), COLUMNS)
    assert reduce(ContentSum.merge, parts) == at_once
    assert reduce(ContentSum.merge, parts, ContentSum()) == at_once


def test_what_means_the_same_has_the_same_hash() -> None:
    frame = scored_rows(50)
    other = frame.astype({"label": "Int64", "prediction": float, "plan": "category", "id": str, "usage": object})
    other["event_time"] = other["event_time"].dt.tz_convert("Asia/Tokyo").dt.as_unit("ns")
    other["usage"] = pd.Series([None if pd.isna(value) else value for value in frame["usage"]], dtype=object)
    assert ContentSum.of(other, COLUMNS) == ContentSum.of(frame, COLUMNS)


@pytest.mark.parametrize("column", ["event_time", "id", "usage", "plan", "probability_1", "label"])
def test_any_other_value_has_another_hash(column: str) -> None:
    frame = scored_rows(50)
    swapped = frame.copy()
    first, second = frame[column].drop_duplicates().dropna()[:2].index
    swapped.loc[[first, second], column] = frame.loc[[second, first], column].to_numpy()
    changed = frame.drop(index=first)
    assert len({ContentSum.of(rows, COLUMNS) for rows in (frame, swapped, changed, pd.concat([frame, frame]))}) == 4
