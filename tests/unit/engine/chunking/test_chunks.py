from datetime import UTC, datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftline.engine.chunking.chunks import Chunk, chunk_of, next_chunk, previous_chunk, split_by_chunk
from driftline.engine.spec import Period
from driftline.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    # Clocks that change at midnight, by half an hour, from before midnight to the day before, and by a whole day.
    [
        "UTC",
        "Europe/Berlin",
        "Asia/Kolkata",
        "America/Sao_Paulo",
        "Australia/Lord_Howe",
        "America/St_Johns",
        "Pacific/Apia",
    ]
).map(ZoneInfo)
Unit = Literal["us", "ns"]
PERIODS = st.sampled_from(list(Period))
INSTANTS = st.datetimes(datetime(1995, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive limits


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        (Period.HOUR, "2026-03-11 12:00", "2026-03-11 13:00"),
        (Period.DAY, "2026-03-10 23:00", "2026-03-11 23:00"),
        (Period.WEEK, "2026-03-08 23:00", "2026-03-15 23:00"),
        (Period.MONTH, "2026-02-28 23:00", "2026-03-31 22:00"),
        (Period.QUARTER, "2025-12-31 23:00", "2026-03-31 22:00"),
    ],
)
def test_periods_follow_the_calendar_of_the_zone(period: Period, start: str, end: str) -> None:
    assert chunk_of(_utc("2026-03-11 12:34:56.789"), period, BERLIN) == Chunk(_utc(start), _utc(end))


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29 12:00", 23), ("2026-10-25 12:00", 25), ("2026-06-01 12:00", 24)]
)
def test_a_day_on_which_clocks_change_has_its_own_length(day: str, hours: int) -> None:
    chunk = chunk_of(_utc(day), Period.DAY, BERLIN)
    assert chunk.end - chunk.start == timedelta(hours=hours)


def test_a_repeated_hour_is_two_chunks_and_a_skipped_one_is_none() -> None:
    first = chunk_of(_utc("2026-10-25 00:30"), Period.HOUR, BERLIN)
    second = next_chunk(first, Period.HOUR, BERLIN)
    assert (first.start.astimezone(BERLIN).hour, second.start.astimezone(BERLIN).hour) == (2, 2)
    before = chunk_of(_utc("2026-03-29 00:30"), Period.HOUR, BERLIN)
    assert next_chunk(before, Period.HOUR, BERLIN).start.astimezone(BERLIN).hour == 3


def test_a_day_that_the_calendar_skips_is_no_chunk() -> None:
    apia = ZoneInfo("Pacific/Apia")
    last = chunk_of(_utc("2011-12-30 09:00"), Period.DAY, apia)
    assert next_chunk(last, Period.DAY, apia).start.astimezone(apia).date().isoformat() == "2011-12-31"


@given(INSTANTS, PERIODS, ZONES)
def test_every_instant_is_in_exactly_one_chunk(instant: datetime, period: Period, zone: ZoneInfo) -> None:
    chunk = chunk_of(instant, period, zone)
    assert instant in chunk
    assert instant not in next_chunk(chunk, period, zone)
    assert instant not in previous_chunk(chunk, period, zone)
    assert chunk_of(chunk.end - timedelta(microseconds=1), period, zone) == chunk


@given(INSTANTS, PERIODS, ZONES)
def test_chunks_tile_the_line(instant: datetime, period: Period, zone: ZoneInfo) -> None:
    chunk = chunk_of(instant, period, zone)
    following = next_chunk(chunk, period, zone)
    assert chunk.start < chunk.end == following.start
    assert previous_chunk(following, period, zone) == chunk
    assert chunk_of(chunk.start, period, zone) == chunk


@given(st.lists(INSTANTS, max_size=30), PERIODS, ZONES, st.sampled_from(get_args(Unit)))
def test_many_at_once_equals_one_by_one(instants: list[datetime], period: Period, zone: ZoneInfo, unit: Unit) -> None:
    times = pd.Series(pd.DatetimeIndex(instants, tz="UTC").as_unit(unit).tz_convert(zone))
    times.index = pd.Index([f"row {n}" for n in range(len(times))], dtype=object)
    expected = [chunk_of(instant, period, zone).start for instant in instants]
    chunks = [*split_by_chunk(times.to_frame("event_time"), period, zone)]
    starts = {row: chunk.start for chunk, rows in chunks for row in rows.index}
    assert [starts[row] for row in times.index] == expected
    assert sum(len(rows) for _, rows in chunks) == len(times)


def test_rows_are_split_oldest_chunk_first_and_keep_their_order() -> None:
    times = pd.to_datetime(["2026-01-02 01:00", "2026-01-01 23:00", "2026-01-02 00:00"], utc=True)
    frame = pd.DataFrame({"event_time": times, "x": [1, 2, 3]})
    parts = [
        (chunk.start.day, rows["x"].tolist()) for chunk, rows in split_by_chunk(frame, Period.DAY, ZoneInfo("UTC"))
    ]
    assert parts == [(1, [2]), (2, [1, 3])]


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        chunk_of(datetime(2026, 1, 1), Period.DAY, BERLIN)  # noqa: DTZ001 - the fault under test
    with pytest.raises(InvalidInput, match="aware"):
        next(split_by_chunk(pd.DataFrame({"event_time": pd.to_datetime(["2026-01-01"])}), Period.DAY, BERLIN))


@pytest.mark.parametrize("period", list(Period))
@pytest.mark.parametrize("instant", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_an_instant_at_an_end_of_the_calendar_is_refused(instant: datetime, period: Period) -> None:
    with pytest.raises(InvalidInput, match="at the end of the calendar"):
        chunk_of(instant, period, ZoneInfo("Europe/Berlin"))
