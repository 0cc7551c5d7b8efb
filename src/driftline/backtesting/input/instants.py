"""Event times as whole microseconds since 1970 in UTC, however a table stores them. No I/O here."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftline.engine.columns import BoolArray, FloatArray, IntArray
from driftline.errors import InvalidInput

EARLIEST, LATEST = datetime(1700, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""An event time before the first or from the second on is a fault: 9999-12-31 is how a table says `never`."""
_YEARS = f"{EARLIEST.year} to {LATEST.year - 1}"
_EPOCH_UNITS = {"seconds": 10**11, "milliseconds": 10**14, "microseconds": 10**17, "nanoseconds": 10**20}
"""The units that numbers since 1970 can have, each with what its numbers are smaller than."""
_A_SECOND = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_MICRO = 10**6
_DATE_LENGTHS = (8, 10, 12, 14)
_PARTS = (
    (10**10, 10**4, 1900, 2100),
    (10**8, 100, 1, 12),
    (10**6, 100, 1, 31),
    (10**4, 100, 0, 23),
    (10**2, 100, 0, 59),
    (1, 100, 0, 59),
)
"""Year, month, day, hour, minute, second of a date in 14 digits: what to divide by, how many there are, and bounds."""
_OFFSET = re.compile(r"(?:[Zz]|[+-]\d{2}(?::?\d{2})?)\s*$")
_DATE_LENGTH = 10
_SAMPLE = 1_000
_Refuse = Callable[[BoolArray, str], InvalidInput]


def microseconds(series: "pd.Series[Any]", zone: ZoneInfo, offset: int = 0, unit: str | None = None) -> IntArray:
    """Return event times in microseconds since 1970, UTC; times without a zone are wall clock times of `zone`.

    Of an hour that the clocks of `zone` repeat, such a time is in the first one. Numbers are seconds, milliseconds,
    microseconds or nanoseconds since 1970, by their size, all in one unit: that of the rows before, if they have one. A
    time that is missing, that nobody can read, or that is not of the years 1700 to 2199 is an InvalidInput with its
    row; `offset` is how many rows came before these.
    """
    missing = series.isna().to_numpy()
    if missing.any():
        raise _unreadable(series, missing, offset, "no value; give every row an event time")
    if not isinstance(series.dtype, pd.CategoricalDtype):
        return _read(series, zone, unit, lambda wrong, what: _unreadable(series, wrong, offset, what))
    used = series.cat.remove_unused_categories().cat
    codes = used.codes.to_numpy()
    values = pd.Series(used.categories, name=series.name)
    return _read(values, zone, unit, lambda wrong, what: _unreadable(series, wrong[codes], offset, what))[codes]


def epoch_unit(series: "pd.Series[Any]") -> str | None:
    """Return the unit that numbers since 1970 have by the size of the largest; None of what is no number."""
    if not len(series) or not _is_number(series):
        return None
    return _unit_of(float(series.abs().max()))


def instant(text: str | datetime, zone: ZoneInfo) -> datetime:
    """Read an ISO date or instant; without a zone it is of the wall clocks in `zone`.

    Other text, and what is not of the years 1700 to 2199, is an InvalidInput.
    """
    try:
        read = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is no date; write it as 2026-01-31 or 2026-01-31T08:00:00+00:00"
        raise InvalidInput(msg) from None
    if not EARLIEST.year <= read.year < LATEST.year:
        msg = f"{text!s} is not of the years {_YEARS}"
        raise InvalidInput(msg)
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def as_microseconds(moment: datetime) -> int:
    """Return an aware datetime in microseconds since 1970."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def aware(micros: int) -> datetime:
    """Return microseconds since 1970 as an aware datetime in UTC."""
    return pd.Timestamp(micros, unit="us", tz="UTC").to_pydatetime(warn=False).astimezone(UTC)


def _read(values: "pd.Series[Any]", zone: ZoneInfo, unit: str | None, refuse: _Refuse) -> IntArray:
    values = values.infer_objects()
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return _of_timestamps(values, zone, refuse)
    if _is_number(values):
        return _of_numbers(values, unit, refuse)
    if pd.api.types.is_bool_dtype(values.dtype) or values.dtype.kind in "cm":
        msg = f"column {values.name!r} holds {values.dtype}, which is no time; name the column with the event times"
        raise InvalidInput(msg)
    return _of_texts(values, zone, refuse)


def _is_number(values: "pd.Series[Any]") -> bool:
    return values.dtype.kind in "iuf"


def _of_timestamps(times: "pd.Series[Any]", zone: ZoneInfo, refuse: _Refuse) -> IntArray:
    first, last = (pd.Timestamp(limit.replace(tzinfo=times.dt.tz and UTC)) for limit in (EARLIEST, LATEST))
    far = ((times < first) | (times >= last)).to_numpy()
    if far.any():
        raise refuse(far, f"a time that is not of the years {_YEARS}")
    utc = _localized(times, zone) if times.dt.tz is None else times
    found = utc.dt.as_unit("us").dt.tz_convert("UTC").to_numpy("datetime64[us]")
    return np.asarray(found, dtype="datetime64[us]").view(np.int64)


def _localized(walls: "pd.Series[Any]", zone: ZoneInfo) -> "pd.Series[Any]":
    first = np.ones(len(walls), dtype=bool)
    found: pd.Series[Any] = walls.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return found


def _of_numbers(numbers: "pd.Series[Any]", unit: str | None, refuse: _Refuse) -> IntArray:
    values = numbers.to_numpy(dtype=f"{numbers.dtype.kind}8")
    if are_dates_in_digits(values[:_SAMPLE]) and are_dates_in_digits(values):
        raise refuse(
            np.ones(len(values), dtype=bool), "a date in digits; write it as 2026-01-31 or 2026-01-31T08:00:00Z"
        )
    signed = values.astype(np.float64)
    unit = unit or _unit_of(float(np.abs(signed).max(initial=0)))
    strange = _of_another_unit(np.abs(signed), unit)
    if strange.any():
        raise refuse(strange, f"a number that is not of {unit} since 1970, as others are; write times in ISO 8601")
    second = _A_SECOND[unit]
    far = (signed < EARLIEST.timestamp() * second) | (signed >= LATEST.timestamp() * second)
    if far.any():
        raise refuse(far, f"a number that, as {unit} since 1970, is not of the years {_YEARS}")
    return _scaled(values, second)


def _unit_of(size: float) -> str:
    return next((unit for unit, limit in _EPOCH_UNITS.items() if size < limit), "nanoseconds")


def _of_another_unit(sizes: FloatArray, unit: str) -> BoolArray:
    limits = [0, *_EPOCH_UNITS.values()]
    place = list(_EPOCH_UNITS).index(unit)
    fits: BoolArray = (limits[place] <= sizes) & (sizes < limits[place + 1])
    return ~fits


def _scaled(values: npt.NDArray[Any], second: int) -> IntArray:
    """Return numbers, of which `second` are a second, as microseconds."""
    factor = values.dtype.type(max(1, _MICRO // second))
    whole = values.dtype.kind in "iu"
    scaled = values * factor // max(1, second // _MICRO) if whole else np.rint(values * (_MICRO / second))
    return scaled.astype(np.int64)


def are_dates_in_digits(values: npt.NDArray[Any]) -> bool:
    """Return whether all numbers read as year, month, day and so on: 20260131, or up to 20260131080000."""
    length = len(str(int(values[0]))) if len(values) and np.isfinite(values[0]) else 0
    if length not in _DATE_LENGTHS or not bool(((values >= 10 ** (length - 1)) & (values < 10**length)).all()):
        return False
    digits = values.astype(np.int64) * 10 ** (max(_DATE_LENGTHS) - length)
    parts = ((low, digits // place % base, high) for place, base, low, high in _PARTS)
    possible = (bool(np.all((low <= part) & (part <= high))) for low, part, high in parts)
    return bool(np.all(values % 1 == 0)) and all(possible)


def _of_texts(texts: "pd.Series[Any]", zone: ZoneInfo, refuse: _Refuse) -> IntArray:
    """Read texts: those with a zone as they say, the others, each by itself, as wall clock times of `zone`.

    The two are parsed apart: pandas lends a text without a zone the one of the text before.
    """
    zoned = np.fromiter((_has_zone(str(text)) for text in texts), dtype=bool, count=len(texts))
    read = pd.Series(pd.NaT, index=texts.index, dtype="datetime64[ns, UTC]")
    for some in (zoned, ~zoned):
        if some.any():
            read[some] = _parsed(texts[some])
    unread = read.isna().to_numpy()
    if unread.any():
        raise refuse(unread, f"no ISO 8601 time such as 2026-01-31T08:00:00Z, of the years {_YEARS}")
    if zoned.all():
        return _of_timestamps(read, zone, refuse)
    local = _of_timestamps(read.dt.tz_localize(None), zone, refuse)
    return np.where(zoned, _of_timestamps(read, zone, refuse), local) if zoned.any() else local


def _parsed(texts: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the texts as instants in nanoseconds; NaT where they are not ISO 8601 or out of that range."""
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


def _unreadable(series: "pd.Series[Any]", wrong: Any, offset: int, what: str) -> InvalidInput:
    first = int(np.flatnonzero(wrong)[0])
    count = int(wrong.sum())
    value = series.iloc[first]
    plain: Any = value.item() if isinstance(value, np.generic) else value
    shown = "" if pd.isna(plain) is True else f" ({plain.isoformat() if isinstance(plain, datetime) else repr(plain)})"
    return InvalidInput(
        f"column {series.name!r} has {what}, in {count} row{'' if count == 1 else 's'}; "
        f"the first is row {offset + first + 1}{shown}"
    )
