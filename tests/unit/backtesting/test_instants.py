from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from driftline.backtesting.instants import as_microseconds, aware, instant, microseconds
from driftline.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "values",
    [
        [pd.Timestamp("2026-07-01 14:00")],
        [pd.Timestamp("2026-07-01 12:00", tz="UTC")],
        pd.Categorical(["2026-07-01T14:00"]),
        ["2026-07-01 14:00:00"],
        ["2026-07-01T12:00:00Z"],
        ["2026-07-01T08:00:00-04:00"],
        [1782907200],
        [1782907200_000],
        [1782907200_000_000],
        [1782907200_000_000_000],
    ],
)
def test_one_instant_is_read_however_it_is_stored(values: Any) -> None:
    assert [aware(int(m)) for m in microseconds(pd.Series(values, name="t"), BERLIN)] == [NOON]


def test_dates_are_midnights_of_the_zone() -> None:
    found = microseconds(pd.Series([date(2026, 7, 1)], name="t"), BERLIN)
    assert aware(int(found[0])) == datetime(2026, 6, 30, 22, tzinfo=UTC)


def test_an_hour_that_the_clocks_skip_or_repeat_is_read_too() -> None:
    times = pd.Series(pd.to_datetime(["2026-03-29 02:30", "2026-10-25 02:30"]), name="t")
    assert [aware(int(m)).isoformat() for m in microseconds(times, BERLIN)] == [
        "2026-03-29T01:00:00+00:00",
        "2026-10-25T00:30:00+00:00",
    ]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (["2026-01-01", None], r"'t' has no value.* in 1 row; the first is row 12"),
        (["2026-01-01", "01/02/2026"], r"no ISO 8601 time.*row 12 \('01/02/2026'\)"),
        ([1.5, 2.5], "numbers with a fraction"),
    ],
)
def test_what_is_no_time_is_named_with_its_row(values: list[Any], fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        microseconds(pd.Series(values, name="t"), BERLIN, offset=10)


def test_an_end_of_the_reference_without_a_zone_is_of_the_specs() -> None:
    assert instant("2026-07-01", BERLIN) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert instant("2026-07-01T12:00:00Z", BERLIN) == NOON
    assert aware(as_microseconds(NOON)) == NOON
    with pytest.raises(InvalidInput, match="is no date"):
        instant("first of July", BERLIN)
