"""What pydantic finds wrong with fields, in words that say what to do. No I/O here."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

Location = tuple[int | str, ...]
"""Where a value is: the names of its field and of those around it, and the positions in lists."""


def _never(_: Location) -> bool:
    return False


def validation_faults(
    error: ValidationError,
    *,
    root: str = "",
    document: str = "",
    within: Location = (),
    available: Collection[str] = (),
    is_secret: Callable[[Location], bool] = _never,
) -> Iterator[str]:
    """Yield each fault with its location, what is wrong, and what to write.

    Each begins with the `root`, such as `spec`; one without a location begins with the name of the `document`, such as
    `the file`. Locations are `within` another one. Faults of unknown fields list those that are `available`. A value
    whose location `is_secret` is not shown.
    """
    for fault in _independent(error.errors(include_url=False)):
        location = (*within, *fault["loc"])
        is_unknown = fault["type"] == "extra_forbidden" and len(location) == 1
        if root and is_unknown:
            yield f"{root}: unknown field {location[0]!r}"
            continue
        text = fault_text(fault, secret=is_secret(location))
        if is_unknown and available:
            text = f"unknown field; available: {', '.join(available)}"
        yield ": ".join(filter(None, (root, ".".join(map(str, location)) or document, text)))


def raise_contradictions(title: str, faults: Iterable[str]) -> None:
    """Raise one ValidationError with each fault, if there are any; call it in a validator of a model."""
    types = [PydanticCustomError("inconsistent", "{fault}", {"fault": fault}) for fault in faults]
    if types:
        raise ValidationError.from_exception_data(title, [InitErrorDetails(type=kind, input=None) for kind in types])


def fault_text(fault: ErrorDetails, *, secret: bool = False) -> str:
    """Return what is wrong with a value, and what to write in its place; a `secret` value is not shown."""
    text = _TEXTS.get(fault["type"])
    if text is None:
        return fault["msg"]
    limits = {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in fault.get("ctx", {}).items()}
    if secret and "tag" in limits:
        limits["tag"] = _HIDDEN
    return text.format_map({**limits, "value": _HIDDEN if secret else _value(fault["input"])})


def _independent(faults: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Yield the faults without those that others cause, and one for all alternatives of a simple type."""
    parents = {fault["loc"][:depth] for fault in faults for depth in range(len(fault["loc"]))}
    reported: set[Location] = set()
    for fault in faults:
        location = fault["loc"]
        if fault["type"] == "too_short" and location in parents:
            continue  # only because the items, which have faults of their own, were dropped
        if not (location and location[-1] in _SIMPLE_TYPES and fault["type"] in _WRONG_TYPE):
            yield fault
        elif location[:-1] not in reported:
            reported.add(location[:-1])
            yield ErrorDetails(type="simple_type", loc=location[:-1], msg=fault["msg"], input=fault["input"])


def _value(value: Any) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} seconds"
    if isinstance(value, str):
        return f"{_CREDENTIALS.sub('***', value)!r:.100}"
    if isinstance(value, int | float | None):
        return f"{value!r:.100}"
    return f"a value of type {type(value).__name__}"


_HIDDEN = "the value"
_CREDENTIALS = re.compile(r"(?<=://).*(?=@)|(?<=\?).*=.*", re.DOTALL)
"""What an address may have of secrets: a user with a password, and the values of its query."""

_SIMPLE_TYPES = frozenset({"int", "float", "str", "bool"})
"""The last part of a location where a value may have one of several simple types."""
_WRONG_TYPE = frozenset({"int_type", "float_type", "string_type", "bool_type"})

_LIST = "{value} is not a list; write one such as [a, b]"
_MAPPING = "{value} is not a mapping; write one such as {{field: value}}"
_TEXT = "{value} is not text; put it in quotes"
_BOOLEAN = "{value} is neither true nor false; write one of them"
_INTEGER = "{value} is not a whole number; write one such as 5"
_NUMBER = "{value} is not a number; write one such as 0.5"
_DATE = "{value} is not a day; write one such as 2026-01-31"
_TIME = "{value} is not a time of day; write one such as '20:30'"
_INSTANT = "{value} is not an instant; write one such as 2026-01-31T00:00:00Z"
_DURATION = "{value} is not a duration; write ISO 8601 such as P3D or PT6H"
_CHOICE = "{value} is unknown; choose {expected}"
_OTHER_TYPE = "{value} is of a wrong type; write a {class}"

_TEXTS = {
    "missing": "missing; add it",
    "extra_forbidden": "unknown field; remove it or correct its name",
    "invalid_key": "a name is not text; put it in quotes",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "iterable_type": _LIST,
    "too_short": "too few items; write at least {min_length}",
    "too_long": "too many items; write at most {max_length}",
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "string_type": _TEXT,
    "path_type": _TEXT,
    "string_too_short": "the text is empty; write one",
    "string_too_long": "the text is too long; write at most {max_length} characters",
    "string_pattern_mismatch": "{value} does not match the pattern {pattern}; write text that does",
    "string_unicode": "the text is not UTF-8; correct it",
    "enum": _CHOICE,
    "literal_error": _CHOICE,
    "bool_type": _BOOLEAN,
    "bool_parsing": _BOOLEAN,
    "int_type": _INTEGER,
    "int_parsing": _INTEGER,
    "int_parsing_size": _INTEGER,
    "int_from_float": _INTEGER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "simple_type": "{value} is not simple; write a number, a text, true, false or null",
    "finite_number": "{value} is not finite; write a finite number",
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "datetime_type": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_object_invalid": _INSTANT,
    "datetime_from_date_parsing": _INSTANT,
    "timezone_aware": "{value} has no time zone; write one such as 2026-01-31T00:00:00Z",
    "zoneinfo_str": "{value} is not a time zone; write UTC or Europe/Berlin",
    "time_delta_type": _DURATION,
    "time_delta_parsing": _DURATION,
    "greater_than": "{value} is out of range; write more than {gt}",
    "greater_than_equal": "{value} is out of range; write {ge} or more",
    "less_than": "{value} is out of range; write less than {lt}",
    "less_than_equal": "{value} is out of range; write {le} or less",
    "is_instance_of": _OTHER_TYPE,
    "union_tag_invalid": "unknown {discriminator} {tag!r}; choose one of {expected_tags}",
    "union_tag_not_found": "has no {discriminator}; add it",
    "json_invalid": "this is not JSON ({error}); correct it",
    "json_type": "this is not JSON; correct it",
    "value_error": "{error}",
    "assertion_error": "{error}",
}
"""The text for each of pydantic's types of error; braces hold the value and what pydantic says about the limits."""
