from datetime import date
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn.columns import CDR_USAGE, Cdr
from driftline.errors import InvalidInput
from flaskapp.world import NUMBER, Drift, DriftKind, Parameters, World
from flaskapp.world.parts import split

DAY = date(2025, 3, 15)
USAGE = [str(column) for column in CDR_USAGE]
NULLS = (Drift(DriftKind.MISSING, 0.3, DAY), Drift(DriftKind.UNIT, 60, DAY, Cdr.MOC_DURATION))


@cache
def _frame(seed: int = 1, drifts: tuple[Drift, ...] = ()) -> pd.DataFrame:
    return World(Parameters(seed, DAY, 60, drifts)).records_of_day(DAY)


@pytest.mark.slow
@given(seed=st.integers(0, 2**62), parts=st.integers(1, 30), keep_empty=st.booleans())
def test_the_parts_sum_to_the_whole(seed: int, parts: int, keep_empty: bool) -> None:
    frame = _frame(seed % 5, NULLS)
    pieces = split(frame, parts, seed, keep_empty=keep_empty)
    assert len(pieces) == parts
    together = pd.concat(pieces)
    summed = together.groupby(NUMBER)[USAGE].sum(min_count=1)
    pd.testing.assert_frame_equal(summed, frame.set_index(NUMBER)[USAGE])
    assert (together[USAGE].min() >= 0).all()


def test_a_part_has_the_columns_and_types_of_the_whole() -> None:
    frame = _frame(drifts=NULLS)
    for piece in split(frame, 5, 1):
        assert (piece.dtypes == frame.dtypes).all()
        expected = frame.set_index(NUMBER).loc[piece[NUMBER].tolist()].reset_index()
        assert (piece[Cdr.MSISDN] == expected[Cdr.MSISDN]).all()
        assert (piece[USAGE].isna() == expected[USAGE].isna()).all(axis=None)


def test_no_seconds_without_a_call_and_no_part_without_usage() -> None:
    for piece in split(_frame(), 7, 1):
        assert ((piece[Cdr.MOC_COUNT] == 0) == (piece[Cdr.MOC_DURATION] == 0)).all()
        assert piece[USAGE].sum(axis=1).gt(0).all()


def test_keep_empty_keeps_every_record_in_every_part() -> None:
    assert [len(piece) for piece in split(_frame(), 7, 1, keep_empty=True)] == [len(_frame())] * 7


def test_usage_is_spread_evenly_over_the_parts() -> None:
    calls = [piece[Cdr.MTC_COUNT].sum() for piece in split(World(Parameters(5, DAY, 1000)).records_of_day(DAY), 4, 5)]
    assert np.array(calls) / sum(calls) == pytest.approx([0.25] * 4, abs=0.02)


def test_a_records_cut_does_not_depend_on_other_records() -> None:
    frame = _frame()
    subset = frame.iloc[10:20]
    for piece, alone in zip(split(frame, 3, 1), split(subset, 3, 1), strict=True):
        expected = piece[piece[NUMBER].isin(subset[NUMBER])].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, expected)


def test_empty_frames_stay_empty_and_zero_parts_are_rejected() -> None:
    assert [len(piece) for piece in split(_frame().iloc[:0], 3, 1)] == [0, 0, 0]
    with pytest.raises(InvalidInput, match="1 part or more"):
        split(_frame(), 0, 1)
