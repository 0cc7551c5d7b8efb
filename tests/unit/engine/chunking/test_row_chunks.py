"""Chunks of a number of rows, and a number of chunks."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.chunking.chunks import count_sizes, row_sizes, split_by_sizes
from driftline.errors import InvalidInput

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def rows_at(hours: list[int]) -> pd.DataFrame:
    times = pd.DatetimeIndex([NOON + timedelta(hours=hour) for hour in hours], tz="UTC")
    return pd.DataFrame({"event_time": times, "place": range(len(hours))})


def test_the_last_chunk_of_rows_may_be_smaller() -> None:
    assert row_sizes(10, 4) == (4, 4, 2)
    assert row_sizes(8, 4) == (4, 4)
    assert row_sizes(0, 4) == ()


@given(total=st.integers(0, 10_000), count=st.integers(1, 200))
def test_a_count_of_chunks_differs_by_one_row_at_most(total: int, count: int) -> None:
    sizes = count_sizes(total, count)
    assert sum(sizes) == total
    assert len(sizes) == min(total, count)
    assert not sizes or max(sizes) - min(sizes) <= 1


@given(hours=st.lists(st.integers(0, 30), max_size=40), rows=st.integers(1, 10))
def test_chunks_tile_the_time_and_hold_every_row_once_in_order(hours: list[int], rows: int) -> None:
    cut = list(split_by_sizes(rows_at(hours), row_sizes(len(hours), rows)))
    assert [place for _, part in cut for place in part["place"]] == sorted(range(len(hours)), key=lambda p: hours[p])
    assert all(chunk.start < chunk.end for chunk, _ in cut)
    assert all(earlier.end == later.start for (earlier, _), (later, _) in pairwise(cut))
    if cut:
        assert cut[0][0].start == NOON + timedelta(hours=min(hours))
        assert cut[-1][0].end > NOON + timedelta(hours=max(hours))


def test_sizes_must_add_up() -> None:
    with pytest.raises(InvalidInput, match="cannot hold 3 rows"):
        list(split_by_sizes(rows_at([1, 2, 3]), (1, 1)))
