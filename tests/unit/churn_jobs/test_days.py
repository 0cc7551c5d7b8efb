"""Ranges of days, and what a wrong one is told."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_jobs.days import AskedRange, DayRange, choose
from driftline.errors import InvalidInput, NotFound

MARCH = DayRange(date(2026, 3, 1), date(2026, 3, 31))


def chosen(asked: AskedRange) -> DayRange:
    return choose(asked, MARCH, "DP_CDR_Data", "Load some.")


def test_both_ends_are_included() -> None:
    assert len(MARCH) == 31
    assert [*MARCH][::30] == [date(2026, 3, 1), date(2026, 3, 31)]
    assert MARCH.start == datetime(2026, 3, 1, tzinfo=UTC)
    assert MARCH.end == datetime(2026, 4, 1, tzinfo=UTC)


@given(length=st.integers(1, 400), size=st.integers(1, 40))
def test_slices_hold_each_day_once(length: int, size: int) -> None:
    days = DayRange(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=length - 1))
    slices = days.slices(size)
    assert [day for some in slices for day in some] == [*days]
    assert max(len(some) for some in slices) <= size


def test_an_open_end_is_as_far_as_there_is_data() -> None:
    assert chosen(AskedRange()) == MARCH
    assert chosen(AskedRange(first=date(2026, 3, 5))) == DayRange(date(2026, 3, 5), date(2026, 3, 31))


def test_arguments_win_over_the_file_end_by_end() -> None:
    from_file = AskedRange(date(2026, 3, 2), date(2026, 3, 20))
    assert AskedRange(last=date(2026, 3, 9)).over(from_file) == AskedRange(date(2026, 3, 2), date(2026, 3, 9))


@pytest.mark.parametrize(
    ("first", "last", "fault"),
    [
        (date(2026, 2, 28), None, "2026-02-28 is before the first day"),
        (None, date(2026, 4, 1), "2026-04-01 is after the last day"),
        (date(2026, 3, 9), date(2026, 3, 8), "it starts after it ends"),
    ],
)
def test_a_wrong_range_is_told_the_available_one(first: date | None, last: date | None, fault: str) -> None:
    with pytest.raises(InvalidInput, match="2026-03-01 to 2026-03-31") as refused:
        chosen(AskedRange(first, last))
    assert any(fault in detail for detail in refused.value.details)


def test_no_data_at_all_names_the_cure() -> None:
    with pytest.raises(NotFound, match=r"DP_CDR_Data has no rows yet\. Load some\."):
        choose(AskedRange(), None, "DP_CDR_Data", "Load some.")
