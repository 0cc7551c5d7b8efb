"""What pydantic finds wrong with fields, in words that say what to do. No I/O here."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def validation_faults(error: ValidationError, *within: str) -> Iterator[str]:
    """Yield each fault of a spec with its location in it."""
    faults = error.errors()
    inside = {fault["loc"][0] for fault in faults if len(fault["loc"]) > 1}
    for fault in faults:
        if fault["type"] == "too_short" and fault["loc"] and fault["loc"][0] in inside:
            continue  # only because the items, which have faults of their own, were dropped
        location = (*within, *fault["loc"])
        if fault["type"] == "extra_forbidden" and len(location) == 1:
            yield f"spec: unknown field {location[0]!r}"
            continue
        yield ": ".join(filter(None, ("spec", ".".join(map(str, location)), fault_text(fault))))


def fault_text(fault: ErrorDetails) -> str:
    """Return what is wrong with a value, and what to write in its place."""
    text = _TEXTS.get(fault["type"])
    if text is None:
        return fault["msg"]
    limits = {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in fault.get("ctx", {}).items()}
    return text.format_map({**limits, "value": _value(fault["input"])})


def _value(value: Any) -> str:
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g} seconds"
    if isinstance(value, str | int | float | None):
        return f"{value!r:.100}"
    return f"a value of type {type(value).__name__}"


_LIST = "{value} is not a list; write one such as [a, b]"
_MAPPING = "{value} is not a mapping; write one such as {{field: value}}"
_BOOLEAN = "{value} is neither true nor false; write one of them"
_INTEGER = "{value} is not a whole number; write one such as 5"
_NUMBER = "{value} is not a number; write one such as 0.5"
_DURATION = "{value} is not a duration; write ISO 8601 such as P3D or PT6H"
_CHOICE = "{value} is unknown; choose {expected}"

_TEXTS = {
    "missing": "missing; add it",
    "extra_forbidden": "unknown field; remove it or correct its name",
    "tuple_type": _LIST,
    "list_type": _LIST,
    "too_short": "too few items; write at least {min_length}",
    "dict_type": _MAPPING,
    "mapping_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "string_type": "{value} is not text; put it in quotes",
    "string_too_short": "the text is empty; write one",
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
    "finite_number": "{value} is not finite; write a finite number",
    "time_delta_type": _DURATION,
    "time_delta_parsing": _DURATION,
    "greater_than": "{value} is out of range; write more than {gt}",
    "greater_than_equal": "{value} is out of range; write {ge} or more",
    "less_than": "{value} is out of range; write less than {lt}",
    "less_than_equal": "{value} is out of range; write {le} or less",
    "union_tag_invalid": "unknown {discriminator} {tag!r}; choose one of {expected_tags}",
    "union_tag_not_found": "has no {discriminator}; add it",
    "value_error": "{error}",
}
"""The text for each of pydantic's types of error; braces hold the value and what pydantic says of the limits."""
