"""Columns in the few dtypes that a backtest reads, however a frame or a file stores them. No I/O here.

Numbers, true/false and instants get a dtype of their own; durations and times of day are numbers of seconds. What is
left is text (str objects or a categorical) or objects that are neither numbers nor text.
"""

from collections.abc import Callable
from datetime import UTC, datetime, time
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pac

from driftline.engine.columns import category, floats_and_strays


def stored_plainly(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column with a plain dtype; the same object where it has one."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufM":
        return column
    reader = next((reader for kind, reader in _BY_DTYPE.items() if isinstance(dtype, kind)), None)
    if reader is not None:
        return reader(column)
    if dtype.kind == "m":
        return _as_floats(column)
    return _of_objects(column) if pd.api.types.is_object_dtype(dtype) else column


def _with(column: "pd.Series[Any]", values: Any) -> "pd.Series[Any]":
    return pd.Series(values, index=column.index, name=column.name)


def _of_categories(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return instants for categories that are instants; leave all others, since numbers can be categories too."""
    categories = pd.Series(column.cat.categories)
    plain = stored_plainly(categories)
    if plain.dtype.kind == "M":
        values = plain.array.take(column.cat.codes.to_numpy(), allow_fill=True)
        return _with(column, values)
    return column


def _of_arrow(column: "pd.Series[Any]") -> "pd.Series[Any]":
    values = plain_arrow(pa.chunked_array(column.array.__arrow_array__()))
    if pa.types.is_integer(values.type) and values.null_count:
        return _with(column, nullable(values))
    return stored_plainly(_with(column, values.to_pandas(date_as_object=False).array))


def nullable(column: pa.ChunkedArray) -> Any:
    """Return whole numbers as pandas' own type for those of which some are missing."""
    kind = str(column.type).replace("i", "I").replace("uI", "UI")
    dtype: Any = pd.api.types.pandas_dtype(kind)
    return dtype.__from_arrow__(column)


def plain_arrow(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals as numbers and times of day as seconds; any other Arrow column as it is."""
    kind = column.type
    if pa.types.is_decimal(kind):
        return _of_decimals(column)
    if pa.types.is_time(kind):
        micros = column.cast(pa.time64("us"), safe=False).cast(pa.int64())
        return pac.divide(micros.cast(pa.float64()), 1e6)
    return column


def _of_decimals(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals as floats; without a fraction as whole numbers, in text where they are too long for these."""
    if column.type.scale > 0:
        return column.cast(pa.float64())
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.string())


def _of_objects(column: "pd.Series[Any]") -> "pd.Series[Any]":
    read = _READERS.get(pd.api.types.infer_dtype(column, skipna=True))
    return column if read is None else read(column)


def _of_whole_numbers(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return Python's whole numbers as such; those beyond 64 bits as text, in which no two become one."""
    try:
        return column.astype("Int64") if column.hasnans else column.astype(np.int64)
    except (OverflowError, TypeError, ValueError):
        return column.map(category, na_action="ignore")


def _of_decimal_objects(column: "pd.Series[Any]") -> "pd.Series[Any]":
    whole = all(value.is_finite() and value == value.to_integral_value() for value in column.dropna())
    if whole:
        return _of_whole_numbers(column.map(int, na_action="ignore").astype(object))
    return _as_floats(column)


def _as_floats(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return _with(column, floats_and_strays(column)[0])


def _of_times_of_day(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return column.map(_seconds_of_day, na_action="ignore").astype(np.float64)


def _seconds_of_day(moment: time) -> float:
    return (moment.hour * 60 + moment.minute) * 60 + moment.second + moment.microsecond / 1e6


def _of_datetimes(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return dates and datetimes as instants; a column of which only some have a zone is left as it is."""
    missing = column.isna()
    values = column[~missing].tolist()
    zoned = [isinstance(value, datetime) and value.tzinfo is not None for value in values]
    if any(zoned) and not all(zoned):
        return column
    naive = [value.astimezone(UTC).replace(tzinfo=None) for value in values] if any(zoned) else values
    instants = np.full(len(column), np.datetime64("NaT", "us"), dtype="datetime64[us]")
    instants[~missing.to_numpy()] = np.array(naive, dtype="datetime64[us]")
    plain = _with(column, instants)
    return plain.dt.tz_localize("UTC") if any(zoned) else plain


def _of_periods(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return _of_datetimes(column.map(lambda period: period.start_time, na_action="ignore").astype(object))


def _of_bytes(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return bytes that are UTF-8 as text, as some database drivers write it; others as they are."""
    try:
        return column.map(lambda value: value.decode("utf-8"), na_action="ignore")
    except UnicodeDecodeError:
        return column


def _of_mixed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return numbers beside text as text, and numbers of several types as floats; leave objects of other kinds."""
    values = column.dropna().tolist()
    if all(isinstance(value, Real | Decimal) for value in values):
        return _as_floats(column)
    if all(isinstance(value, str | Real | Decimal) for value in values):
        return column.map(category, na_action="ignore")
    return column


_READERS: dict[str, Callable[["pd.Series[Any]"], "pd.Series[Any]"]] = {
    "boolean": lambda column: column.astype("boolean" if column.hasnans else bool),
    "bytes": _of_bytes,
    "date": _of_datetimes,
    "datetime": _of_datetimes,
    "datetime64": _of_datetimes,
    "decimal": _of_decimal_objects,
    "empty": _as_floats,
    "floating": _as_floats,
    "integer": _of_whole_numbers,
    "integer-na": _of_whole_numbers,
    "mixed": _of_mixed,
    "mixed-integer": _of_mixed,
    "mixed-integer-float": _as_floats,
    "period": _of_periods,
    "time": _of_times_of_day,
    "timedelta": _as_floats,
    "timedelta64": _as_floats,
}
"""How to read objects, by what pandas infers them to be."""


_BY_DTYPE: dict[type, Callable[["pd.Series[Any]"], "pd.Series[Any]"]] = {
    pd.ArrowDtype: _of_arrow,
    pd.CategoricalDtype: _of_categories,
    pd.IntervalDtype: lambda column: column.map(str, na_action="ignore").astype(object),
    pd.PeriodDtype: lambda column: column.dt.to_timestamp(),
    pd.SparseDtype: lambda column: stored_plainly(_with(column, np.asarray(column.array))),
}
"""How to read pandas' own dtypes, apart from those that are plain."""
