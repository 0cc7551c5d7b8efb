"""Event times as whole microseconds since 1970 in UTC, however a table stores them. No I/O here."""

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from driftline.engine.columns import IntArray
from driftline.errors import InvalidInput

_EPOCH_UNITS = (("s", 10**11), ("ms", 10**14), ("us", 10**17))
_OFFSET = re.compile(r"(?:[Zz]|[+-]\d{2}:?\d{2})\s*$")


def microseconds(series: "pd.Series[Any]", zone: ZoneInfo, offset: int = 0) -> IntArray:
    """Return event times in microseconds since 1970, UTC; times without a zone are wall clock times of `zone`.

    Integers are seconds, milliseconds, microseconds or nanoseconds since 1970, by their size. A time that is missing or
    that nobody can read is an InvalidInput with its row; `offset` is how many rows came before these.
    """
    missing = series.isna().to_numpy()
    if missing.any():
        raise _unreadable(series, missing, offset, "no value; give every row an event time")
    found = _timestamps(series, offset)
    if found.dt.tz is None:
        ambiguous = np.ones(len(found), dtype=bool)
        found = found.dt.tz_localize(zone, ambiguous=ambiguous, nonexistent="shift_forward")
    utc = found.dt.as_unit("us").dt.tz_convert("UTC").to_numpy("datetime64[us]")
    return np.asarray(utc, dtype="datetime64[us]").view(np.int64)


def instant(text: str | datetime, zone: ZoneInfo) -> datetime:
    """Read an ISO date or instant; without a zone it is of the wall clocks in `zone`. Other text is an InvalidInput."""
    try:
        read = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    except ValueError:
        msg = f"{text!r} is no date; write it as 2026-01-31 or 2026-01-31T08:00:00+00:00"
        raise InvalidInput(msg) from None
    return (read if read.tzinfo else read.replace(tzinfo=zone)).astimezone(UTC)


def as_microseconds(moment: datetime) -> int:
    """Return an aware datetime in microseconds since 1970."""
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def aware(micros: int) -> datetime:
    """Return microseconds since 1970 as an aware datetime in UTC."""
    return pd.Timestamp(micros, unit="us", tz="UTC").to_pydatetime(warn=False).astimezone(UTC)


def _timestamps(series: "pd.Series[Any]", offset: int) -> "pd.Series[Any]":
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        return series
    if pd.api.types.is_integer_dtype(series.dtype):
        return pd.to_datetime(series, unit=_epoch_unit(series), utc=True)
    if isinstance(series.dtype, pd.CategoricalDtype):
        texts = _read_texts(pd.Series(series.cat.categories), series, offset)
        return texts.iloc[series.cat.codes].reset_index(drop=True)
    if pd.api.types.is_numeric_dtype(series.dtype):
        msg = f"column {series.name!r} holds numbers with a fraction, which are no times; give it as ISO 8601"
        raise InvalidInput(msg)
    return _read_texts(series, series, offset)


def _epoch_unit(series: "pd.Series[Any]") -> Any:
    largest = int(series.abs().max()) if len(series) else 0
    return next((unit for unit, limit in _EPOCH_UNITS if largest < limit), "ns")


def _read_texts(texts: "pd.Series[Any]", rows: "pd.Series[Any]", offset: int) -> "pd.Series[Any]":
    read = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    if read.isna().any():
        wrong = set(texts[read.isna()])
        raise _unreadable(rows, rows.isin(wrong).to_numpy(), offset, "no ISO 8601 time such as 2026-01-31T08:00:00Z")
    zoned = len(texts) > 0 and bool(_OFFSET.search(str(texts.iloc[0])[10:]))
    return read if zoned else read.dt.tz_localize(None)


def _unreadable(series: "pd.Series[Any]", wrong: Any, offset: int, what: str) -> InvalidInput:
    first = int(np.flatnonzero(wrong)[0])
    count = int(wrong.sum())
    shown = "" if pd.isna(series.iloc[first]) else f" ({series.iloc[first]!r})"
    return InvalidInput(
        f"column {series.name!r} has {what}, in {count} row{'' if count == 1 else 's'}; "
        f"the first is row {offset + first + 1}{shown}"
    )
