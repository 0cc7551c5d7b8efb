"""The sample is bounded, fair, and the same whatever the order of reading."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.columns import Cdr
from eda import sample
from eda.sample import DRAW, Sample, draws

FIRST_DRAW = 3980616057965821989
"""Of subscriber 8801 and record run:1; another would draw other rows than last year's report."""


def rows(count: int) -> pd.DataFrame:
    keys = pd.DataFrame(
        {Cdr.MSISDN: [f"88{n % 50}" for n in range(count)], Cdr.RECORD_ID: [f"run:{n}" for n in range(count)]}
    )
    return pd.DataFrame({"value": np.arange(count, dtype=float), DRAW: draws(keys)})


def sampled(frame: pd.DataFrame, pieces: int, capacity: int) -> Sample:
    kept = sample.start(("value",), capacity)
    for part in np.array_split(np.arange(len(frame)), pieces):
        kept = sample.offered(kept, frame.iloc[part])
    return kept


@pytest.mark.slow
@given(st.integers(1, 30), st.permutations(range(200)))
def test_order_and_chunks_do_not_matter(pieces: int, order: list[int]) -> None:
    frame = rows(200)
    kept = sampled(frame.iloc[order], pieces, 60)
    assert sorted(kept.rows["value"]) == sorted(frame.nsmallest(60, DRAW)["value"])
    assert (kept.offered, kept.is_whole) == (200, False)


def test_few_rows_are_all_kept() -> None:
    kept = sampled(rows(40), 3, 60)
    assert kept.is_whole
    assert sorted(kept.rows["value"]) == list(range(40))


def test_the_sample_is_like_the_whole() -> None:
    kept = sampled(rows(20_000), 5, 4_000).rows["value"]
    error = 20_000 / np.sqrt(12 * 4_000)
    assert kept.mean() == pytest.approx(10_000, abs=4 * error)


def test_a_draw_is_of_the_key_alone_and_stays_what_it_was() -> None:
    keys = pd.DataFrame({Cdr.MSISDN: ["8801"], Cdr.RECORD_ID: ["run:1"], "other": [3]})
    assert draws(keys)[0] == draws(keys.assign(other=4))[0] == FIRST_DRAW
    assert draws(keys)[0] != draws(keys.assign(record_id="run:2"))[0]
