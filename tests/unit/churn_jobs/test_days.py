"""Ranges of days, and the errors for invalid ones."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from churn_jobs.days import DayRange, RequestedDays, choose
from driftline.errors import InvalidInput, NotFound

MARCH = DayRange(date(2026, 3, 1), date(2026, 3, 31))


def days_of_march(requested: RequestedDays) -> DayRange:
    return choose(requested, MARCH, "DP_CDR_Data", "Load some.")


def test_both_ends_are_included() -> None:
    assert len(MARCH) == 31
    assert [*MARCH][::30] == [date(2026, 3, 1), date(2026, 3, 31)]
    assert MARCH.start == datetime(2026, 3, 1, tzinfo=UTC)
    assert MARCH.end == datetime(2026, 4, 1, tzinfo=UTC)


@given(length=st.integers(1, 400), size=st.integers(1, 40))
def test_slices_hold_each_day_once(length: int, size: int) -> None:
    days = DayRange(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=length - 1))
    slices = days.slices(size)
    assert [day for part in slices for day in part] == [*days]
    assert max(len(part) for part in slices) <= size


def test_an_open_end_is_the_first_or_last_day_with_data() -> None:
    assert days_of_march(RequestedDays()) == MARCH
    assert days_of_march(RequestedDays(first=date(2026, 3, 5))) == DayRange(date(2026, 3, 5), date(2026, 3, 31))


def test_each_argument_takes_precedence_over_the_file() -> None:
    from_file = RequestedDays(date(2026, 3, 2), date(2026, 3, 20))
    assert RequestedDays(last=date(2026, 3, 9)).or_else(from_file) == RequestedDays(date(2026, 3, 2), date(2026, 3, 9))


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
        days_of_march(RequestedDays(first, last))
    assert any(fault in detail for detail in refused.value.details)


def test_the_error_without_data_says_what_to_do() -> None:
    with pytest.raises(NotFound, match=r"DP_CDR_Data has no rows yet\. Load some\."):
        choose(RequestedDays(), None, "DP_CDR_Data", "Load some.")
