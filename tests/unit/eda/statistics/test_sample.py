"""The sample is bounded, uniform, and independent of the order of reading."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.columns import Cdr
from eda.statistics import sample
from eda.statistics.sample import DRAW, RowSample, draws

FIRST_DRAW = 3980616057965821989
"""The draw of subscriber 8801 and record run:1; a changed draw would change the rows of earlier reports."""


def rows(count: int) -> pd.DataFrame:
    keys = pd.DataFrame(
        {Cdr.MSISDN: [f"88{n % 50}" for n in range(count)], Cdr.RECORD_ID: [f"run:{n}" for n in range(count)]}
    )
    return pd.DataFrame({"value": np.arange(count, dtype=float), DRAW: draws(keys)})


def sampled(frame: pd.DataFrame, pieces: int, capacity: int) -> RowSample:
    result = sample.start(("value",), capacity)
    for part in np.array_split(np.arange(len(frame)), pieces):
        result = sample.offered(result, frame.iloc[part])
    return result


@pytest.mark.slow
@given(st.integers(1, 30), st.permutations(range(200)))
def test_order_and_chunks_do_not_matter(pieces: int, order: list[int]) -> None:
    frame = rows(200)
    result = sampled(frame.iloc[order], pieces, 60)
    assert sorted(result.rows["value"]) == sorted(frame.nsmallest(60, DRAW)["value"])
    assert (result.offered, result.is_complete) == (200, False)


def test_the_sample_of_few_rows_is_complete() -> None:
    result = sampled(rows(40), 3, 60)
    assert result.is_complete
    assert sorted(result.rows["value"]) == list(range(40))


def test_the_sample_represents_all_rows() -> None:
    values = sampled(rows(20_000), 5, 4_000).rows["value"]
    error = 20_000 / np.sqrt(12 * 4_000)
    assert values.mean() == pytest.approx(10_000, abs=4 * error)


def test_a_draw_depends_only_on_the_key() -> None:
    keys = pd.DataFrame({Cdr.MSISDN: ["8801"], Cdr.RECORD_ID: ["run:1"], "other": [3]})
    assert draws(keys)[0] == draws(keys.assign(other=4))[0] == FIRST_DRAW
    assert draws(keys)[0] != draws(keys.assign(record_id="run:2"))[0]
