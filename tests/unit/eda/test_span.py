"""A range is limited to the days with records."""

from datetime import date, datetime

import pytest

from driftline.errors import NotFound
from eda.span import DaySpan, RequestedSpan

AVAILABLE = DaySpan(date(2026, 1, 10), date(2026, 1, 20))


@pytest.mark.parametrize(
    ("start", "end", "span"),
    [
        (None, None, AVAILABLE),
        (date(2026, 1, 12), date(2026, 1, 12), DaySpan(date(2026, 1, 12), date(2026, 1, 12))),
        (date(2020, 1, 1), date(2026, 1, 10), DaySpan(date(2026, 1, 10), date(2026, 1, 10))),
        (date(2026, 1, 20), date(2030, 1, 1), DaySpan(date(2026, 1, 20), date(2026, 1, 20))),
        (None, date(2026, 1, 15), DaySpan(date(2026, 1, 10), date(2026, 1, 15))),
    ],
)
def test_the_range_is_limited_to_the_available_days(start: date | None, end: date | None, span: DaySpan) -> None:
    assert RequestedSpan(start, end).within(AVAILABLE) == span


@pytest.mark.parametrize(
    ("start", "end"),
    [(date(2026, 1, 21), None), (None, date(2026, 1, 9)), (date(2025, 1, 1), date(2025, 12, 31))],
)
def test_the_error_outside_shows_the_available_range(start: date | None, end: date | None) -> None:
    with pytest.raises(NotFound, match="Available: 2026-01-10 to 2026-01-20"):
        RequestedSpan(start, end).within(AVAILABLE)


def test_both_ends_are_included() -> None:
    day = DaySpan(date(2026, 1, 31), date(2026, 1, 31))
    assert (day.start, day.end, day.days) == (datetime(2026, 1, 31), datetime(2026, 2, 1), 1)  # noqa: DTZ001
    assert (str(day), str(AVAILABLE), AVAILABLE.days) == ("2026-01-31", "2026-01-10 to 2026-01-20", 11)
