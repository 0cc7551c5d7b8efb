"""A date in a range is the whole day on the wall clocks of a zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.chunking.chunks import chunk_of
from driftline.engine.spec import Period
from monitoring.report.range_ends import range_start, range_stop

ZONES = st.sampled_from(["UTC", "Asia/Dhaka", "America/Lima", "America/Sao_Paulo", "Pacific/Apia", "Europe/Berlin"])
MICROSECOND = timedelta(microseconds=1)


@given(ZONES.map(ZoneInfo), st.dates(date(1990, 1, 1), date(2040, 1, 1)))
def test_days_follow_each_other_without_gap(zone: ZoneInfo, day: date) -> None:
    start, stop = range_start(day, zone), range_stop(day, zone)
    assert start is not None and stop is not None
    assert chunk_of(start, Period.DAY, zone) == chunk_of(stop, Period.DAY, zone)
    following = chunk_of(stop + MICROSECOND, Period.DAY, zone)
    assert following.start == stop + MICROSECOND


@pytest.mark.parametrize(
    ("zone", "start", "hours"),
    [
        ("UTC", datetime(2026, 3, 29, tzinfo=UTC), 24),
        ("Asia/Dhaka", datetime(2026, 3, 28, 18, tzinfo=UTC), 24),
        ("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
    ],
)
def test_a_date_is_a_day_of_the_zone(zone: str, start: datetime, hours: int) -> None:
    day = date(2026, 3, 29)
    assert range_start(day, ZoneInfo(zone)) == start
    assert range_stop(day, ZoneInfo(zone)) == start + timedelta(hours=hours) - MICROSECOND


@pytest.mark.parametrize("day", [date.min, date(1, 12, 31), date(9999, 1, 1), date(9999, 12, 30), date.max])
def test_the_first_and_the_last_year_have_days_too(day: date) -> None:
    start, stop = (end(day, ZoneInfo("Asia/Dhaka")) for end in (range_start, range_stop))
    assert start is not None and stop is not None
    assert (start.date(), start.tzinfo) == (day, UTC)
    assert start < stop


def test_an_instant_is_itself() -> None:
    instant = datetime(2026, 3, 29, 5, tzinfo=UTC)
    for end in (instant, None):
        assert range_start(end, ZoneInfo("Asia/Dhaka")) is end
        assert range_stop(end, ZoneInfo("Asia/Dhaka")) is end
