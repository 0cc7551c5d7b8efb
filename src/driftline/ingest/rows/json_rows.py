"""Rows that were sent as JSON: one object or a list of them, or one object a line. No I/O here.

The features of a prediction are in an object of their own, so that a feature may have any name. A column of the frame
is named by its path: `at`, `scores.cat`, `features.amount`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from driftline.engine.frames.columns import BoolArray
from driftline.engine.frames.stray_values import to_text
from driftline.errors import MOST_ROWS, InvalidInput, RowFault
from driftline.ingest.rows.checked_columns import REFUSED
from driftline.ingest.rows.content import Content, Format, require_few_rows
from driftline.ingest.rows.json_size import containers_of, require_few_containers, require_small_document

MOST_FAULTS = 20
"""How many faults of single rows are listed."""
NESTED_NAMES = ("scores", "features")
"""The fields of a row that are objects."""
_LINE = re.compile(rb"\S[^\n]*")
"""A line from its first character that is not blank."""


@dataclass(frozen=True)
class SentRows:
    """Rows as a frame; `lacking` says, of columns that some rows were sent without, which rows these are."""

    frame: pd.DataFrame
    lacking: Mapping[str, BoolArray] = field(default_factory=dict)


def json_rows(content: Content, fields: Sequence[str], columns: Sequence[str]) -> SentRows:
    """Return rows with those of `columns` that any row has; a field that a row lacks is None.

    `fields` are the names that a row may have, `columns` the paths of those that are read. An object that is null has
    null in all its fields.

    Raises:
        InvalidInput: it is not JSON, or rows have another shape; every fault is listed.
        TooMuchContent: there are too many rows.
    """
    rows = _lines(content.data) if content.format is Format.NDJSON else _document(content.data)
    require_few_rows(len(rows))
    _require_none(_row_faults(rows, fields))
    frame: dict[str, list[Any]] = {}
    lacking: dict[str, BoolArray] = {}
    for outer, names in _group_by_object(columns).items():
        for name, values, absent in _values(rows, outer, names):
            if absent is None or not absent.all():
                frame[name] = values
                lacking |= {} if absent is None else {name: absent}
    _require_none(_value_faults(frame))
    ordered = {name: pd.Series(frame[name], dtype=object) for name in columns if name in frame}
    return SentRows(pd.DataFrame(ordered, index=range(len(rows))), lacking)


def _document(data: bytes) -> list[Any]:
    require_small_document(data)
    value = parsed_json(data, "The body")
    return value if isinstance(value, list) else [value]


def _lines(data: bytes) -> list[Any]:
    """Return the objects of all lines that are not empty; list the lines that are not JSON."""
    rows: list[Any] = []
    faults: list[tuple[RowFault, str]] = []
    number, place, containers = 1, 0, 0
    for match in _LINE.finditer(data):
        number += data.count(b"\n", place, match.start())
        line, place = match[0], match.start()
        row = len(rows) + len(faults) + 1
        require_few_rows(row, at_least=True)
        containers += containers_of(line)
        require_few_containers(containers)
        try:
            rows.append(parsed_json(line, f"line {number:,}"))
        except InvalidInput as error:
            faults.append((RowFault(row, "", None, "send one JSON object a line"), error.message))
            if len(faults) > MOST_ROWS:
                break
    _require_none(faults, "Lines are not valid JSON; nothing was stored.")
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
    raise ValueError(f"{name} is not a JSON number, send null")


def _require_none(faults: Iterable[tuple[RowFault, str]], message: str = REFUSED) -> None:
    """Raise InvalidInput where there are faults: with the first messages, and with more of the rows."""
    first = [*islice(faults, MOST_ROWS + 1)]
    if first:
        details = [text for _, text in first[:MOST_FAULTS]]
        more = ["and more; correct these first"] if len(first) > MOST_FAULTS else []
        raise InvalidInput(message, details=(*details, *more), rows=(fault for fault, _ in first))


def _row_faults(rows: Sequence[Any], fields: Sequence[str]) -> Iterator[tuple[RowFault, str]]:
    """Yield the faults in the shape of rows: rows that are not objects, and unknown fields."""
    field_names = set(fields)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            cure = f"send an object with the fields {', '.join(fields)}"
            yield RowFault(number, "", to_text(row), cure), f"row {number:,} is {to_text(row)}; {cure}"
            continue
        unknown = row.keys() - field_names
        if unknown:
            name, cure = min(unknown), f"a row has {', '.join(fields)}"
            yield RowFault(number, name, None, cure), f"row {number:,} has the unknown field {to_text(name)}; {cure}"
        for name in NESTED_NAMES:
            if name in field_names and not isinstance(row.get(name, {}), dict | None):
                yield _value_fault(number, name, row[name], "is not an object", "send an object of names and values")


def _value_fault(row: int, column: str, value: Any, expected: str, cure: str) -> tuple[RowFault, str]:
    text = to_text(value)
    return RowFault(row, column, text, cure), f"row {row:,}, {column}: {text} {expected}; {cure}"


def _group_by_object(columns: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns by the field of a row that is their object; those that are fields themselves under ''."""
    groups: dict[str, list[str]] = {}
    for column in columns:
        outer, nested, _ = column.partition(".")
        groups.setdefault(outer if nested and outer in NESTED_NAMES else "", []).append(column)
    return groups


def _values(
    rows: Sequence[Mapping[str, Any]], outer: str, columns: Sequence[str]
) -> Iterator[tuple[str, list[Any], BoolArray | None]]:
    """Yield columns of an object of each row with their values, and which rows lack them; None: no row does."""
    names = {column.removeprefix(f"{outer}.") if outer else column: column for column in columns}
    if outer:
        of_null, of_none = dict.fromkeys(names), dict[str, Any]()
        objects = [of_null if (value := row.get(outer, of_none)) is None else value for row in rows]
    else:
        objects = [*rows]
    expected = names.keys()
    if all(expected <= row.keys() for row in objects):
        yield from ((column, [row[name] for row in objects], None) for name, column in names.items())
        return
    for name, column in names.items():
        absent = np.fromiter((name not in row for row in objects), dtype=bool, count=len(objects))
        yield column, [row.get(name) for row in objects], absent if absent.any() else None


def _value_faults(columns: Mapping[str, Sequence[Any]]) -> Iterator[tuple[RowFault, str]]:
    """Yield the values that are lists or objects, or text that UTF-8 does not have."""
    for name, values in columns.items():
        for number, value in enumerate(values, 1):
            if isinstance(value, dict | list):
                yield _value_fault(number, name, value, "is not a single value", "send a text, a number or null")
            elif isinstance(value, str) and not _is_text(value):
                yield _value_fault(number, name, value, "has half of a surrogate pair", "send whole characters")


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
