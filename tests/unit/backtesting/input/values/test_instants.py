from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from driftline.backtesting.input.values.epochs import epoch_unit
from driftline.backtesting.input.values.instants import as_datetime, as_microseconds, instant, microseconds
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
        [1782907200.0],
        [1782907200_000.0],
        pd.array([1782907200], dtype="Int64"),
        pd.Series([1782907200], dtype=object),
        pd.Categorical([1782907200], categories=[0, 1782907200]),
        pd.Categorical(["2026-07-01T12:00Z"], categories=["2026-07-01T12:00Z", "never"]),
        ["2026-07-01T14+02"],
        pd.Series([pd.Timestamp("2026-07-01 14:00")], dtype="timestamp[ns][pyarrow]"),
        pd.Series([pd.Timestamp("2026-07-01 14:00")], dtype="timestamp[s][pyarrow]"),
        pd.Series([pd.Timestamp("2026-07-01 12:00", tz="UTC")], dtype="timestamp[us, tz=UTC][pyarrow]"),
        pd.Series(["2026-07-01 14:00"], dtype="string[pyarrow]"),
        pd.Categorical([pd.Timestamp("2026-07-01 14:00")]),
        pd.PeriodIndex(["2026-07-01 14:00"], freq="min"),
        pd.Series([pd.Period("2026-07-01 14:00", freq="h")], dtype=object),
        pd.Series([NOON.astimezone(BERLIN).replace(tzinfo=None)], dtype=object),
        pd.Series([NOON], dtype=object),
        pd.Series([np.datetime64("2026-07-01T14:00")], dtype=object),
        pd.Series([Decimal(1782907200)], dtype=object),
        ["1782907200"],
        [" 1782907200.0 "],
        ["2026-07-01 12:00:00 UTC"],
        ["2026-07-01 12:00:00.000000 UTC"],
        ["2026-07-01T12:00:00 GMT"],
        ["2026-07-01 14:00:00,000"],
        ["  2026-07-01 14:00 "],
        ["2026-07-01 14:00:00 +0200"],
        ["2026-07-01 12:00:00 +0000 UTC"],
        ["2026-07-01T14:00:00+02:00[Europe/Berlin]"],
        ["2026/07/01 14:00"],
        ["2026/7/1 14:00:00"],
        ["2026-7-1 14:00"],
    ],
)
def test_an_instant_is_read_from_every_storage_type(values: Any) -> None:
    assert [as_datetime(int(m)) for m in microseconds(pd.Series(values, name="t"), BERLIN)] == [NOON]


def test_dates_are_midnights_of_the_zone() -> None:
    times = microseconds(pd.Series([date(2026, 7, 1)], name="t"), BERLIN)
    assert as_datetime(int(times[0])) == datetime(2026, 6, 30, 22, tzinfo=UTC)


def test_decimal_commas_and_hours_with_one_digit_are_accepted() -> None:
    texts = ["2026-07-01 9:05:00,250", "2026-07-01T09:05:00.250", "2026-07-01 07:05:00,25 UTC"]
    assert {as_datetime(int(m)) for m in microseconds(pd.Series(texts), BERLIN)} == {
        datetime(2026, 7, 1, 7, 5, 0, 250_000, tzinfo=UTC)
    }


def test_datetimes_with_and_without_a_zone_can_be_mixed() -> None:
    values = pd.Series([NOON, NOON.astimezone(BERLIN).replace(tzinfo=None), NOON.astimezone(BERLIN)], dtype=object)
    assert set(microseconds(values, BERLIN)) == {as_microseconds(NOON)}


def test_an_hour_that_the_clocks_skip_or_repeat_is_read() -> None:
    times = pd.Series(pd.to_datetime(["2026-03-29 02:30", "2026-10-25 02:30"]), name="t")
    assert [as_datetime(int(m)).isoformat() for m in microseconds(times, BERLIN)] == [
        "2026-03-29T01:00:00+00:00",
        "2026-10-25T00:30:00+00:00",
    ]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (["2026-01-01", None], r"'t' has no value.* in 1 row; the first is row 12"),
        (["2026-01-01", "01/02/2026"], r"not an ISO 8601 time.*row 12 \('01/02/2026'\)"),
        (["2026-01-01", "9999-12-31"], r"not an ISO 8601 time.*1700 to 2199.*row 12 \('9999-12-31'\)"),
        (pd.to_datetime(["2026-01-01", "2261-01-01"]), "not in the years 1700 to 2199.*row 12"),
        (
            np.array(["2026-01-01", "9999-12-31"], dtype="datetime64[us]"),
            r"1700 to 2199.*row 12 \(9999-12-31T00:00:00\)",
        ),
        (np.array(["2026-01-01", "0001-01-01"], dtype="datetime64[s]"), "not in the years 1700 to 2199.*row 12"),
        ([1782907200, 1782907200_000], r"not in milliseconds since 1970, as the others are.*row 11 \(1782907200\)"),
        ([90_000_000_000, 1_782_907_200], "as seconds since 1970, is not in the years 1700 to 2199.*row 11"),
        (np.array([2**63 + 5], dtype=np.uint64), "as nanoseconds since 1970, is not in the years"),
        ([1782907200.0, np.inf], "row"),
        ([20240114, 20240115], r"a date in digits.*row 11 \(20240114\)"),
        ([2024011405, 2024011406], "a date in digits"),
        ([202401140530], "a date in digits"),
        ([20240114053000.0], "a date in digits"),
        ([True, False], "holds bool, which is not a time"),
        (pd.to_timedelta([1], unit="s"), "too small to be seconds since 1970"),
        (
            [45658.25, 45717.5],
            r"from 45,658.25 to 45,717.5, which look like the days of a spreadsheet \(45,658 is 2025-01-01\)",
        ),
        ([0, 172_792], r"from 0 to 172,792, which are too small .* added, 1769846400 for 2026-01-31$"),
        (["45658.25", "45717.5"], "the days of a spreadsheet"),
        (pd.Series([Decimal("45658.25")]), "the days of a spreadsheet"),
        (["2026-01-01", "soon" * 50], r"row 12 \('(soon){13}soon\.\.\.\)"),
        (pd.Series([time(1), time(2)], dtype=object), "too small to be seconds since 1970"),
        ([1 + 2j], "holds complex128, which is not a time"),
        ([[1], [2]], "not an ISO 8601 time"),
    ],
)
def test_a_value_that_is_not_a_time_is_named_with_its_row(values: list[Any], fault: str) -> None:
    with pytest.raises(InvalidInput, match=fault):
        microseconds(pd.Series(values, name="t"), BERLIN, offset=10)


@pytest.mark.parametrize(
    ("values", "in_pandas", "elsewhere"),
    [
        (["31.01.2026 08:00"], r"pd.to_datetime(data['t'], format=...)", "in a spreadsheet give the column the format"),
        ([45658.25], "pd.to_datetime(data['t'], unit='D', origin='1899-12-30')", "yyyy-mm-dd hh:mm:ss and save"),
        ([0, 172_792], "pd.to_timedelta(data['t'], unit='s')", "become seconds since 1970"),
    ],
)
def test_the_cure_for_a_time_is_one_that_the_caller_can_use(values: list[Any], in_pandas: str, elsewhere: str) -> None:
    column = pd.Series(values, name="t")
    with pytest.raises(InvalidInput) as of_frame:
        microseconds(column, BERLIN, in_pandas=True)
    with pytest.raises(InvalidInput) as of_file:
        microseconds(column, BERLIN)
    assert in_pandas in str(of_frame.value)
    assert elsewhere in str(of_file.value)
    assert "pd." not in str(of_file.value)


def test_texts_with_and_without_a_zone_can_be_mixed() -> None:
    texts = ["2026-07-01T14:00:00", "2026-07-01T12:00:00Z", "2026-07-01T14:00+02:00", "2026-07-01 14:00"]
    for values in (texts, texts[::-1], pd.Categorical(texts)):
        assert set(microseconds(pd.Series(values, name="t"), BERLIN)) == {as_microseconds(NOON)}


def test_seconds_since_1970_may_have_a_fraction() -> None:
    assert microseconds(pd.Series([1782907200.25, -1.5]), BERLIN).tolist() == [1782907200_250_000, -1_500_000]


def test_the_unit_of_earlier_rows_applies_to_later_ones() -> None:
    early, late = pd.Series([90_000_000_000]), pd.Series([1782907200_000], name="t")
    assert epoch_unit(early) == "seconds"
    assert epoch_unit(pd.Series(["2026-01-01"])) is None
    with pytest.raises(InvalidInput, match="not in seconds since 1970"):
        microseconds(late, BERLIN, unit=epoch_unit(early))


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-23:00", "0001-01-01"])
def test_an_end_of_the_reference_must_be_in_the_supported_years(text: str) -> None:
    with pytest.raises(InvalidInput, match="not in the years 1700 to 2199"):
        instant(text, BERLIN)


def test_an_end_of_the_reference_without_a_zone_is_local_time() -> None:
    assert instant("2026-07-01", BERLIN) == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert instant("2026-07-01T12:00:00Z", BERLIN) == NOON
    assert as_datetime(as_microseconds(NOON)) == NOON
    with pytest.raises(InvalidInput, match="is not a date"):
        instant("first of July", BERLIN)
