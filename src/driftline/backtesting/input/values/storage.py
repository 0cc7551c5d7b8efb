"""Conversion of columns to the few dtypes that a backtest reads. No I/O here.

Numbers, booleans and instants get NumPy or nullable dtypes; durations and times of day become numbers of seconds. All
other columns are text (str objects or a categorical), or objects that are neither numbers nor text.
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

from driftline.engine.frames.columns import category, floats_and_strays


def with_plain_dtype(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column with a plain dtype; the same object if it already has one."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "biufM":
        return column
    reader = next((reader for kind, reader in _BY_DTYPE.items() if isinstance(dtype, kind)), None)
    if reader is not None:
        return reader(column)
    if dtype.kind == "m":
        return _as_floats(column)
    return _from_objects(column) if pd.api.types.is_object_dtype(dtype) else column


def _replace_values(column: "pd.Series[Any]", values: Any) -> "pd.Series[Any]":
    return pd.Series(values, index=column.index, name=column.name)


def _from_categories(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return categories of instants as instants; leave all others unchanged, since numbers can be categories too."""
    categories = pd.Series(column.cat.categories)
    plain = with_plain_dtype(categories)
    if plain.dtype.kind == "M":
        values = plain.array.take(column.cat.codes.to_numpy(), allow_fill=True)
        return _replace_values(column, values)
    return column


def _from_arrow(column: "pd.Series[Any]") -> "pd.Series[Any]":
    values = plain_arrow(pa.chunked_array(column.array.__arrow_array__()))
    if pa.types.is_integer(values.type) and values.null_count:
        return _replace_values(column, nullable_integers(values))
    return with_plain_dtype(_replace_values(column, values.to_pandas(date_as_object=False).array))


def nullable_integers(column: pa.ChunkedArray) -> Any:
    """Return Arrow integers with nulls in the nullable dtype of pandas."""
    kind = str(column.type).replace("i", "I").replace("uI", "UI")
    dtype: Any = pd.api.types.pandas_dtype(kind)
    return dtype.__from_arrow__(column)


def plain_arrow(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals as numbers and times of day as seconds; any other Arrow column unchanged."""
    kind = column.type
    if pa.types.is_decimal(kind):
        return _from_decimals(column)
    if pa.types.is_time(kind):
        micros = column.cast(pa.time64("us"), safe=False).cast(pa.int64())
        return pac.divide(micros.cast(pa.float64()), 1e6)
    return column


def _from_decimals(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals as floats; with scale 0 as integers, or as text where they exceed 64 bits."""
    if column.type.scale > 0:
        return column.cast(pa.float64())
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        return column.cast(pa.string())


def _from_objects(column: "pd.Series[Any]") -> "pd.Series[Any]":
    read = _READERS.get(pd.api.types.infer_dtype(column, skipna=True))
    return column if read is None else read(column)


def _from_integers(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return Python integers as int64 or Int64; as text where they exceed 64 bits, so that they stay distinct."""
    try:
        return column.astype("Int64") if column.hasnans else column.astype(np.int64)
    except (OverflowError, TypeError, ValueError):
        return column.map(category, na_action="ignore")


def _from_decimal_objects(column: "pd.Series[Any]") -> "pd.Series[Any]":
    if all(value.is_finite() and value == value.to_integral_value() for value in column.dropna()):
        return _from_integers(column.map(int, na_action="ignore").astype(object))
    return _as_floats(column)


def _as_floats(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return _replace_values(column, floats_and_strays(column)[0])


def _from_times_of_day(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return column.map(_seconds_of_day, na_action="ignore").astype(np.float64)


def _seconds_of_day(moment: time) -> float:
    return (moment.hour * 60 + moment.minute) * 60 + moment.second + moment.microsecond / 1e6


def _from_datetimes(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return dates and datetimes as instants; a column in which only some have a zone is left unchanged."""
    missing = column.isna()
    values = column[~missing].tolist()
    zoned = [isinstance(value, datetime) and value.tzinfo is not None for value in values]
    if any(zoned) and not all(zoned):
        return column
    naive = [value.astimezone(UTC).replace(tzinfo=None) for value in values] if any(zoned) else values
    instants = np.full(len(column), np.datetime64("NaT", "us"), dtype="datetime64[us]")
    instants[~missing.to_numpy()] = np.array(naive, dtype="datetime64[us]")
    plain = _replace_values(column, instants)
    return plain.dt.tz_localize("UTC") if any(zoned) else plain


def _from_periods(column: "pd.Series[Any]") -> "pd.Series[Any]":
    return _from_datetimes(column.map(lambda period: period.start_time, na_action="ignore").astype(object))


def _from_bytes(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return UTF-8 bytes, which some database drivers yield, as text; other bytes unchanged."""
    try:
        return column.map(lambda value: value.decode("utf-8"), na_action="ignore")
    except UnicodeDecodeError:
        return column


def _from_mixed(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a mixture of numbers and text as text, numbers of several types as floats, other objects unchanged."""
    values = column.dropna().tolist()
    if all(isinstance(value, Real | Decimal) for value in values):
        return _as_floats(column)
    if all(isinstance(value, str | Real | Decimal) for value in values):
        return column.map(category, na_action="ignore")
    return column


_READERS: dict[str, Callable[["pd.Series[Any]"], "pd.Series[Any]"]] = {
    "boolean": lambda column: column.astype("boolean" if column.hasnans else bool),
    "bytes": _from_bytes,
    "date": _from_datetimes,
    "datetime": _from_datetimes,
    "datetime64": _from_datetimes,
    "decimal": _from_decimal_objects,
    "empty": _as_floats,
    "floating": _as_floats,
    "integer": _from_integers,
    "integer-na": _from_integers,
    "mixed": _from_mixed,
    "mixed-integer": _from_mixed,
    "mixed-integer-float": _as_floats,
    "period": _from_periods,
    "time": _from_times_of_day,
    "timedelta": _as_floats,
    "timedelta64": _as_floats,
}
"""The conversion of objects, by the type that pandas infers."""


_BY_DTYPE: dict[type, Callable[["pd.Series[Any]"], "pd.Series[Any]"]] = {
    pd.ArrowDtype: _from_arrow,
    pd.CategoricalDtype: _from_categories,
    pd.IntervalDtype: lambda column: column.map(str, na_action="ignore").astype(object),
    pd.PeriodDtype: lambda column: column.dt.to_timestamp(),
    pd.SparseDtype: lambda column: with_plain_dtype(_replace_values(column, np.asarray(column.array))),
}
"""The conversion of the extension dtypes of pandas that are not plain."""
