"""Rows that were sent as JSON: one object or a list of them, or one object a line. No I/O here.

The features of a prediction are in an object of their own, so that a feature may have any name. A column of the frame
is named by its path: `at`, `scores.cat`, `features.amount`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

import pandas as pd

from driftline.engine.stray_values import to_text
from driftline.errors import InvalidInput
from driftline.ingest.content import Content, Format, require_few_rows
from driftline.ingest.json_size import containers_of, require_few_containers, require_small_document

MOST_FAULTS = 20
"""How many faults of single rows are listed."""
NESTED_NAMES = ("scores", "features")
"""The fields of a row that are objects."""
_LINE = re.compile(rb"\S[^\n]*")
"""A line from its first character that is not blank."""


def json_frame(content: Content, fields: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Return rows as a frame with those of `columns` that any row has; a field that a row lacks is None.

    `fields` are the names that a row may have, `columns` the paths of those that are read.

    Raises:
        InvalidInput: it is not JSON, or rows have another shape; every fault is listed.
        TooMuchContent: there are too many rows.
    """
    rows = _lines(content.data) if content.format is Format.NDJSON else _document(content.data)
    require_few_rows(len(rows))
    faults = tuple(_limited(_row_faults(rows, fields)))
    if faults:
        raise InvalidInput("The rows are invalid; nothing was stored.", details=faults)
    frame = {name: values for name in columns if (values := _values(rows, name)) is not None}
    faults = tuple(_limited(_value_faults(frame)))
    if faults:
        raise InvalidInput("The rows are invalid; nothing was stored.", details=faults)
    return pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in frame.items()}, index=range(len(rows))
    )


def _document(data: bytes) -> list[Any]:
    require_small_document(data)
    value = parsed_json(data, "The body")
    return value if isinstance(value, list) else [value]


def _lines(data: bytes) -> list[Any]:
    """Return the objects of all lines that are not empty; list the lines that are no JSON."""
    rows: list[Any] = []
    faults: list[str] = []
    number, place, containers = 1, 0, 0
    for match in _LINE.finditer(data):
        number += data.count(b"\n", place, match.start())
        line, place = match[0], match.start()
        require_few_rows(len(rows) + 1, at_least=True)
        containers += containers_of(line)
        require_few_containers(containers)
        try:
            rows.append(parsed_json(line, f"line {number:,}"))
        except InvalidInput as error:
            faults.append(error.message)
            if len(faults) == MOST_FAULTS:
                break
    if faults:
        raise InvalidInput("Lines are not valid JSON; nothing was stored.", details=tuple(faults))
    return rows


def parsed_json(data: bytes, place: str) -> Any:
    """Return the value of a JSON text; `place` says in messages where it was."""
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{place} is not UTF-8 (byte {error.start + 1:,}); send it in UTF-8.") from error
    except RecursionError as error:
        raise InvalidInput(f"{place} is nested too deeply; send one object for each row.") from error
    except ValueError as error:
        raise InvalidInput(f"{place} is not valid JSON: {error}; correct it.") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON, send null")


def _limited(faults: Iterator[str]) -> Iterator[str]:
    """Yield the first faults, and whether there are more."""
    for number, fault in enumerate(faults):
        if number == MOST_FAULTS:
            yield "and more; correct these first"
            return
        yield fault


def _row_faults(rows: Sequence[Any], fields: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the shape of rows: no object, or fields that no row has."""
    field_names = set(fields)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            yield f"row {number:,} is {to_text(row)}; send an object with the fields {', '.join(fields)}"
            continue
        unknown = row.keys() - field_names
        if unknown:
            yield f"row {number:,} has the unknown field {to_text(min(unknown))}; a row has {', '.join(fields)}"
        for name in NESTED_NAMES:
            if name in field_names and not isinstance(row.get(name, {}), dict | None):
                yield f"row {number:,}, {name}: {to_text(row[name])} is no object; send an object of names and values"


def _values(rows: Sequence[Mapping[str, Any]], column: str) -> list[Any] | None:
    """Return the values at a path, None where a row has none; None where no row has the field."""
    outer, nested, inner = column.partition(".")
    if not nested or outer not in NESTED_NAMES:
        return [row.get(column) for row in rows] if any(column in row for row in rows) else None
    objects = [row.get(outer) or {} for row in rows]
    return [row.get(inner) for row in objects] if any(inner in row for row in objects) else None


def _value_faults(columns: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    """Yield the values that are lists or objects, or text that UTF-8 does not have."""
    for name, values in columns.items():
        for number, value in enumerate(values, 1):
            if isinstance(value, dict | list):
                yield f"row {number:,}, {name}: {to_text(value)} is no single value; send a text, a number or null"
            elif isinstance(value, str) and not _is_text(value):
                yield f"row {number:,}, {name}: {to_text(value)} has half of a surrogate pair; send whole characters"


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
