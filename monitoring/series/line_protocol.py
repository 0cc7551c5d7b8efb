"""Points as lines of InfluxDB's line protocol, with times in seconds. No I/O here.

InfluxDB's client library is not used: to post a text it imports a second of generated code, it knows no InfluxDB 1, and
it lets a tag that ends in a backslash escape what follows.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

FieldValue = float | int | bool | str
PRECISION = "s"
"""The unit of times, for the database."""
_LINE_BREAKS = re.compile(r"[\r\n]+")
_SPECIAL = re.compile(r"([,= ])")
_QUOTED = re.compile(r'(["\\])')


@dataclass(frozen=True, slots=True)
class Point:
    """A point: its tags and its time identify it, and its fields are its content; a field that is None is left out."""

    measurement: str
    tags: Mapping[str, str]
    fields: Mapping[str, FieldValue | None]
    at: datetime


def line_of(point: Point) -> str:
    """Return a point as a line; empty tags, and numbers that are not finite, are left out.

    >>> from datetime import UTC, datetime
    >>> line_of(Point("m", {"model": "churn"}, {"value": 0.5, "rows": 3}, datetime(1970, 1, 2, tzinfo=UTC)))
    'm,model=churn value=0.5,rows=3i 86400'
    """
    tags = "".join(f",{_key(name)}={_key(value)}" for name, value in sorted(point.tags.items()) if value)
    return f"{_key(point.measurement)}{tags} {','.join(_fields(point.fields))} {int(point.at.timestamp())}"


def _fields(fields: Mapping[str, FieldValue | None]) -> Iterator[str]:
    """Yield the fields that have a value."""
    for name, value in fields.items():
        if value is None or (isinstance(value, float) and not math.isfinite(value)):
            continue
        yield f"{_key(name)}={_field_value(value)}"


def _field_value(value: FieldValue) -> str:
    """Return a value with its type: a text in quotes, a whole number with an i."""
    if isinstance(value, str):
        return '"' + _QUOTED.sub(r"\\\1", _LINE_BREAKS.sub(" ", value)) + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}i" if isinstance(value, int) else repr(float(value))


def _key(text: str) -> str:
    """Return a name or a tag escaped; a backslash at its end, which would escape what follows, gets a blank."""
    on_one_line = _LINE_BREAKS.sub(" ", text)
    return _SPECIAL.sub(r"\\\1", f"{on_one_line} " if on_one_line.endswith("\\") else on_one_line)
