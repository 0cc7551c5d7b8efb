"""Parses the range of days of `query_params.json` and reports every fault. No I/O here."""

import json
import re
from collections.abc import Sequence
from datetime import date

from driftline.errors import InvalidInput
from eda.span import RequestedSpan

KEYS = ("start_date", "end_date")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def parse(text: str) -> RequestedSpan:
    """Read `{"start_date": …, "end_date": …}`: ISO days, both included; null or absent is the first or last day.

    Raises:
        InvalidInput: with every fault in `details`.
    """
    pairs = _pairs(text)
    params = dict(pairs)
    days = {key: _day(params.get(key)) for key in KEYS}
    faults = [*_key_faults(pairs), *(fault for key in KEYS for fault in _day_faults(key, params.get(key)))]
    start, end = days["start_date"], days["end_date"]
    if start and end and start > end:
        faults.append(f"start_date {start} is after end_date {end}")
    if faults:
        raise InvalidInput("The query parameters are not valid; correct the faults listed.", details=tuple(faults))
    return RequestedSpan(start, end)


def _pairs(text: str) -> Sequence[tuple[str, object]]:
    try:
        read = json.loads(text, object_pairs_hook=tuple)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidInput(f"The query parameters are not JSON: {error}.") from error
    if not isinstance(read, tuple):
        raise InvalidInput('The query parameters must be an object such as {"start_date": null, "end_date": null}.')
    return read


def _key_faults(pairs: Sequence[tuple[str, object]]) -> list[str]:
    names = [name for name, _ in pairs]
    unknown = [f"unknown key {name!r}; known: {', '.join(KEYS)}" for name in dict.fromkeys(names) if name not in KEYS]
    return unknown + [f"{name} is given {names.count(name)} times" for name in KEYS if names.count(name) > 1]


def _day_faults(key: str, value: object) -> list[str]:
    if value is None or _day(value):
        return []
    if isinstance(value, str):
        return [f"{key} {value!r} is not a calendar day; write YYYY-MM-DD"]
    return [f"{key} must be a text YYYY-MM-DD or null, not {_name(value)}"]


def _day(value: object) -> date | None:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def _name(value: object) -> str:
    return "an object" if isinstance(value, tuple) else json.dumps(value)
