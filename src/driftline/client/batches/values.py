"""Values as JSON has them: plain Python values as they are, numpy's and others converted. No I/O here."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from math import isfinite, isnan, nan
from typing import Any

from driftline.errors import InvalidInput

JsonValue = str | int | float | bool | None
PLAIN_TYPES = frozenset({str, int, float, bool, type(None)})
"""Types that JSON has; a feature of another type is converted, or refused."""
LARGEST_INTEGER = 2**63


def feature_value(name: str, value: object) -> JsonValue:
    """Return a feature's value as JSON has it; NaN, NaT and infinite numbers are missing, like None.

    Raises:
        InvalidInput: the value is not a number, text, truth value or aware time.
    """
    value = _plain(f"Feature {name!r}", value)
    return None if isinstance(value, float) and not isfinite(value) else value


def output_value(name: str, value: object) -> str | int | float | bool:
    """Return a prediction, a label or a score as JSON has it.

    Raises:
        InvalidInput: the value is missing, infinite, or none that JSON has.
    """
    value = _plain(name, value)
    if value is None or (isinstance(value, float) and not isfinite(value)):
        msg = f"{name} is {value}; pass a value, or do not send the row."
        raise InvalidInput(msg)
    return value


def score_value(name: str, value: object) -> float | int | None:
    """Return a score as a number, or None where it is missing.

    Raises:
        InvalidInput: the score is not a finite number.
    """
    value = _plain(name, value)
    if value is None or (isinstance(value, float) and isnan(value)):
        return None
    if isinstance(value, str | bool) or not isfinite(value):
        msg = f"{name} is {value!r}, which is not a finite number; pass a float."
        raise InvalidInput(msg)
    return value


def instant_text(name: str, value: object) -> str:
    """Return an aware datetime in ISO 8601.

    Raises:
        InvalidInput: the value is not a datetime, or has no time zone.
    """
    if not isinstance(value, datetime) or value.utcoffset() is None:
        msg = f"{name} is {value!r}, which is not a datetime with a time zone; pass tzinfo, such as datetime.UTC."
        raise InvalidInput(msg)
    return datetime.isoformat(value)  # of the base class: pandas adds nanoseconds


def _plain(name: str, value: Any) -> JsonValue:
    """Convert a value of any supported type; a NaN and an infinite number stay floats."""
    if _is_scalar_array(value):
        value = value.item() if value.dtype.kind in "biufUS" else value
    for types, convert in _CONVERSIONS:
        if isinstance(value, types):
            return convert(name, value)
    if _is_missing(value):
        return None
    kind = type(value).__name__
    cure = "pass one feature per number" if isinstance(value, Mapping | list | tuple) else "pass a number or a text"
    msg = f"{name} is a value of type {kind} ({value!r:.80}), which cannot be sent; {cure}."
    raise InvalidInput(msg)


def _is_scalar_array(value: Any) -> bool:
    """Return whether a value is a scalar of numpy, without importing numpy."""
    return getattr(value, "shape", None) == () and hasattr(value, "dtype") and hasattr(value, "item")


def _is_missing(value: Any) -> bool:
    """Return whether a value is one of the missing values that pandas and numpy have beside NaN."""
    return type(value).__name__ in {"NaTType", "NAType"} or (_is_scalar_array(value) and str(value) == "NaT")


def _small_integer(name: str, value: int) -> int:
    if not -LARGEST_INTEGER <= value < LARGEST_INTEGER:
        msg = f"{name} is {value}, which needs more than 64 bits; pass a float, or a text."
        raise InvalidInput(msg)
    return int(value)


def unicode_text(name: str, value: str) -> str:
    """Return a text as plain text.

    Raises:
        InvalidInput: it has half of a surrogate pair.
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        msg = f"{name} is {value!r:.80}, which is not valid Unicode text; decode it with its encoding first."
        raise InvalidInput(msg) from None
    return str(value)


_CONVERSIONS: tuple[tuple[tuple[type, ...], Callable[[str, Any], JsonValue]], ...] = (
    ((type(None), bool, float), lambda _, value: value),
    ((int,), _small_integer),
    ((str,), unicode_text),
    ((datetime,), lambda name, value: None if _is_missing(value) else instant_text(name, value)),
    ((date,), lambda _, value: value.isoformat()),
    ((Decimal,), lambda _, value: nan if value.is_nan() else float(value)),
)
"""How a value of each type is converted; the first type that fits counts."""
