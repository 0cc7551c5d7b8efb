"""Event times as integer microseconds since 1970 in UTC, from any storage type. No I/O here."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from driftline.backtesting.input.values.epochs import (
    EARLIEST,
    LATEST,
    YEARS,
    TimeFaults,
    are_dates_in_digits,
    is_number,
    microseconds_of_numbers,
)
from driftline.backtesting.input.values.faulty_rows import faulty_rows
from driftline.backtesting.input.values.storage import with_plain_dtype
from driftline.engine.frames.columns import BoolArray, IntArray
from driftline.engine.frames.stray_values import to_text
from driftline.errors import InvalidInput

_OFFSET = re.compile(r"(?:[Zz]|[+-]\d{2}(?::?\d{2})?)\s*$")
_DATE_LENGTH = 10
_DIGITS = re.compile(r"[+-]?\d+(\.\d+)?")
_SAMPLE = 1_000
_REWRITTEN = (
    (r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?!\d)", lambda part: f"{part[1]}-{part[2]:0>2}-{part[3]:0>2}"),
    (r"^(\S{10})[T ]+(\d):", r"\1T0\2:"),
    (r"(:\d{2}),(\d+)", r"\1.\2"),
    (r"(Z|[+-]\d{2}:?\d{2})\s?(\[[\w/+-]+\]|[A-Z]{3,4})$", r"\1"),
    (r"\s*(UTC|GMT|Z)$", "Z"),
    (r"\s+([+-]\d{2}:?\d{2})$", r"\1"),
)
"""Spellings of instants that are not ISO 8601, with their replacements: 2026/1/31, 9:05, commas, named zones."""


def microseconds(
    column: "pd.Series[Any]", zone: ZoneInfo, offset: int = 0, unit: str | None = None, *, in_pandas: bool = False
) -> IntArray:
    """Return event times in microseconds since 1970, UTC; times without a zone are local time in `zone`.

    In an hour that the clocks of `zone` repeat, such a time is the first of the two. Numbers count seconds,
    milliseconds, microseconds or nanoseconds since 1970, all in one unit: `unit`, else inferred from their size.
    `offset` is the number of rows before these. With `in_pandas` errors name the cure in pandas, for a caller that has
    a frame. Raises InvalidInput, with the row, for a time that is missing, cannot be read, or is not in the years 1700
    to 2199.
    """
    plain = with_plain_dtype(column)
    missing = plain.isna().to_numpy()
    if missing.any():
        raise _fault(column, missing, offset, "no value; give every row an event time")
    if not isinstance(plain.dtype, pd.CategoricalDtype):
        faults = TimeFaults(lambda wrong, description: _fault(column, wrong, offset, description), in_pandas)
        return _microseconds(plain, zone, unit, faults)
    used_categories = plain.cat.remove_unused_categories().cat
    codes = used_categories.codes.to_numpy()
    values = with_plain_dtype(pd.Series(used_categories.categories, name=column.name))
    faults = TimeFaults(lambda wrong, description: _fault(column, wrong[codes], offset, description), in_pandas)
    return _microseconds(values, zone, unit, faults)[codes]


def instant(text: str | datetime, zone: ZoneInfo) -> datetime:
    """Return an ISO date or instant as a datetime in UTC; without an offset it is local time in `zone`.

    Raises InvalidInput for other text, and for a time that is not in the years 1700 to 2199.
    """
    try:
        moment = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is not a date; write it as 2026-01-31 or 2026-01-31T08:00:00+00:00"
        raise InvalidInput(msg) from None
    if not EARLIEST.year <= moment.year < LATEST.year:
        msg = f"{text!s} is not in the years {YEARS}"
        raise InvalidInput(msg)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def as_microseconds(moment: datetime) -> int:
    """Return an as_datetime datetime in microseconds since 1970."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def as_datetime(micros: int) -> datetime:
    """Return microseconds since 1970 as an as_datetime datetime in UTC."""
    return pd.Timestamp(micros, unit="us", tz="UTC").to_pydatetime(warn=False).astimezone(UTC)


def _microseconds(values: "pd.Series[Any]", zone: ZoneInfo, unit: str | None, faults: TimeFaults) -> IntArray:
    """Return times of a plain dtype, none of them missing, in microseconds."""
    if values.dtype.kind == "M":
        return _timestamp_microseconds(values, zone, faults)
    if is_number(values):
        return microseconds_of_numbers(values, unit, faults)
    if pd.api.types.is_bool_dtype(values.dtype) or values.dtype.kind in "cm":
        msg = f"column {values.name!r} holds {values.dtype}, which is not a time; name the column with the event times"
        raise InvalidInput(msg)
    numbers = _numbers_in_text(values)
    return (
        _text_microseconds(values, zone, faults) if numbers is None else microseconds_of_numbers(numbers, unit, faults)
    )


def _timestamp_microseconds(times: "pd.Series[Any]", zone: ZoneInfo, faults: TimeFaults) -> IntArray:
    first, last = (pd.Timestamp(limit.replace(tzinfo=times.dt.tz and UTC)) for limit in (EARLIEST, LATEST))
    far = ((times < first) | (times >= last)).to_numpy()
    if far.any():
        raise faults.error_for(far, f"a time that is not in the years {YEARS}")
    zoned = _localize(times, zone) if times.dt.tz is None else times
    utc = zoned.dt.as_unit("us").dt.tz_convert("UTC").to_numpy("datetime64[us]")
    return np.asarray(utc, dtype="datetime64[us]").view(np.int64)


def _localize(local: "pd.Series[Any]", zone: ZoneInfo) -> "pd.Series[Any]":
    """Return local times as instants: the first of two, and the end of an hour that the clocks skip."""
    first = np.ones(len(local), dtype=bool)
    instants: pd.Series[Any] = local.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return instants


def _numbers_in_text(texts: "pd.Series[Any]") -> "pd.Series[Any] | None":
    """Return the numbers of a column of text; None for other text and for dates in digits, which are ISO 8601 too."""
    if not all(isinstance(text, str) and _DIGITS.fullmatch(text.strip()) for text in texts.iloc[:_SAMPLE]):
        return None
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.isna().any() or are_dates_in_digits(numbers.to_numpy(dtype=np.float64)):
        return None
    return numbers


def _text_microseconds(texts: "pd.Series[Any]", zone: ZoneInfo, faults: TimeFaults) -> IntArray:
    """Return texts in microseconds: those with an offset as instants, each of the others as local time in `zone`."""
    zoned, times = _parse(texts)
    unread = times.isna().to_numpy()
    if unread.any():
        zoned[unread], times[unread] = _parse(texts[unread].map(_rewrite))
        unread = times.isna().to_numpy()
    if unread.any() and texts[unread].iloc[0] == texts.name:
        raise faults.error_for(unread, "its own name instead of a time: the line of names is repeated; remove it")
    if unread.any():
        how = faults.cure(
            f"in pandas pd.to_datetime(data[{texts.name!r}], format=...) converts it",
            "in a spreadsheet give the column the format yyyy-mm-dd hh:mm:ss and save the file again, in SQL cast it",
        )
        raise faults.error_for(
            unread, f"a value that is not an ISO 8601 time such as 2026-01-31T08:00:00Z, in the years {YEARS} ({how})"
        )
    if zoned.all():
        return _timestamp_microseconds(times, zone, faults)
    local = _timestamp_microseconds(times.dt.tz_localize(None), zone, faults)
    return np.where(zoned, _timestamp_microseconds(times, zone, faults), local) if zoned.any() else local


def _rewrite(text: Any) -> str:
    """Return a text with known other spellings replaced by those of ISO 8601."""
    rewritten = str(text).strip()
    for pattern, replacement in _REWRITTEN:
        rewritten = re.sub(pattern, replacement, rewritten)
    return rewritten


def _parse(texts: "pd.Series[Any]") -> "tuple[BoolArray, pd.Series[Any]]":
    """Return which texts have an offset, and the instants, with texts without an offset in UTC; NaT for other texts.

    The two kinds are parsed separately: in one call, pandas gives a text without an offset that of the text before.
    """
    zoned = np.fromiter((_has_zone(str(text)) for text in texts), dtype=bool, count=len(texts))
    times = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[ns, UTC]")
    for part in (zoned, ~zoned):
        if part.any():
            times[part] = _instants(texts[part])
    return zoned, times


def _instants(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the texts as instants in nanoseconds; NaT where they are not ISO 8601 or outside the range of these."""
    try:
        parsed = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    except (TypeError, ValueError):
        return pd.Series(pd.NaT, index=texts.index, dtype="datetime64[ns, UTC]")
    if parsed.dt.unit == "ns":
        return parsed
    first, last = (limit.tz_localize("UTC") for limit in (pd.Timestamp.min, pd.Timestamp.max))
    return parsed.where((parsed > first) & (parsed < last)).dt.as_unit("ns")


def _has_zone(text: str) -> bool:
    return text[-1:] in ("Z", "z") or _OFFSET.search(text, _DATE_LENGTH) is not None


def _fault(column: "pd.Series[Any]", wrong: BoolArray, offset: int, description: str) -> InvalidInput:
    """Return the error for rows of a column, with their count and the first of them."""
    first = int(np.flatnonzero(wrong)[0])
    count = int(wrong.sum())
    value = column.iloc[first]
    plain: Any = value.item() if isinstance(value, np.generic) else value
    text = plain.isoformat() if isinstance(plain, datetime) else to_text(plain)
    return InvalidInput(
        f"column {column.name!r} has {description}, in {count:,} row{'' if count == 1 else 's'}; "
        f"the first is row {offset + first + 1:,}" + ("" if pd.isna(plain) is True else f" ({text})"),
        rows=faulty_rows(column, wrong, offset, f"has {description}"),
    )
