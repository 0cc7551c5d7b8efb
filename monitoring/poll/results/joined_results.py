"""Reads results as JSON that the server writes and joins: one text for many rows.

The driver reads one text many times faster than rows of columns, and the server concatenates texts twice as fast as it
makes JSON objects.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import chain

from sqlalchemy import Column, ColumnElement, Connection, FromClause, String, func, literal, select

from driftline.engine.results import Bounds, Result, ResultKind, State, SubjectKind
from driftline.store.database import LONGEST_JOINED_TEXT
from driftline.store.tables import results

FIELD_NAMES = {"rows_used": "rows"}
"""The fields of a result that are named differently from their columns."""
RESULT_COLUMNS = tuple(results.c)[4:]
"""The columns of a result, without the first four, which identify its revision."""
SAFE_TEXT_LENGTH = LONGEST_JOINED_TEXT // 4 - 1
"""A shorter text is complete, even if each character has 4 bytes; the server cuts off longer ones silently."""
_CHUNK_KEY = tuple(results.primary_key)[:4]
_SUBJECT_KEY = tuple(results.primary_key)[:7]
_ENUM_COLUMNS = frozenset({"subject_kind", "kind", "method", "state"})
"""Columns with values of enums, which need no escape in JSON."""
_NUMBERS = json.JSONDecoder(parse_int=float)
"""Reads real numbers, which the server writes without a point where they are whole."""
_KINDS = {str(kind): kind for kind in ResultKind}
_STATES = {str(state): state for state in State}
_SUBJECT_KINDS = {str(kind): kind for kind in SubjectKind}


def read_objects(
    connection: Connection, conditions: Sequence[ColumnElement[bool]]
) -> Iterator[tuple[datetime, list[str]]]:
    """Yield the start of each chunk and its results, oldest chunk first, in a fixed order.

    A result is a JSON object without its opening brace: its reader may add fields at the front. A chunk with very
    many results comes in several parts.
    """
    for start, lines in _read(connection, results, conditions, _as_fields(), "\n"):
        yield start, sorted(lines.split("\n"))


def read_results(
    connection: Connection, source: FromClause, conditions: Sequence[ColumnElement[bool]]
) -> Iterator[tuple[datetime, tuple[Result, ...]]]:
    """Yield the start of each chunk and its results, oldest chunk first; `source` contains the table of results.

    A chunk with very many results comes in several parts.
    """
    for start, lists in _read(connection, source, conditions, _as_json_list(), ","):
        yield start, tuple(_result(*row) for row in _NUMBERS.decode(f"[{lists}]"))


def _read(
    connection: Connection,
    source: FromClause,
    conditions: Sequence[ColumnElement[bool]],
    json_text: ColumnElement[str],
    separator: str,
) -> Iterable[tuple[datetime, str]]:
    """Read results joined by chunk, or by subject where those of one chunk may have been too long for one text."""
    joined = func.aggregate_strings(json_text, separator)
    statement = select(results.c.chunk_start, joined).select_from(source).where(*conditions)
    joined_by_chunk = connection.execute(statement.group_by(*_CHUNK_KEY).order_by(*_CHUNK_KEY)).tuples().all()
    if all(len(text) < SAFE_TEXT_LENGTH for _, text in joined_by_chunk):
        return joined_by_chunk
    return connection.execute(statement.group_by(*_SUBJECT_KEY).order_by(*_SUBJECT_KEY)).tuples()


@cache
def _as_fields() -> ColumnElement[str]:
    """Return a result as a JSON object with the names of its fields, without the opening brace."""
    names = [f', "{FIELD_NAMES.get(column.name, column.name)}": ' for column in RESULT_COLUMNS]
    return _concatenated([names[0][2:], *names[1:]], "}")


@cache
def _as_json_list() -> ColumnElement[str]:
    """Return a result as a JSON list, which is shorter."""
    return _concatenated(["[", *"," * (len(RESULT_COLUMNS) - 1)], "]")


def _concatenated(parts: Sequence[str], end: str) -> ColumnElement[str]:
    """Return the values of a result, each after a text, and an end."""
    texts = [literal(text).collate("utf8mb4_bin") for text in parts]
    values = map(_json_value, RESULT_COLUMNS)
    return func.concat(*chain.from_iterable(zip(texts, values, strict=True)), literal(end))


def _json_value(column: Column[str]) -> ColumnElement[str]:
    """Return the value of a column as JSON; the text of a number is JSON already."""
    if column.name in _ENUM_COLUMNS:
        return func.concat('"', column, '"')
    if isinstance(column.type, String):
        value = func.nullif(column, "") if column is results.c.segment else column
        return func.coalesce(func.json_quote(value), "null")
    return func.coalesce(column, "null") if column.nullable else column


def _result(
    subject_kind: str,
    subject: str,
    segment: str | None,
    kind: str,
    method: str,
    value: float | None,
    lower: float | None,
    upper: float | None,
    alert_lower: float | None,
    alert_upper: float | None,
    expected: float | None,
    sampling_error: float | None,
    p_value: float | None,
    effect: float | None,
    rows: float,
    state: str,
    reason: str | None,
) -> Result:
    """Return a result; the parameters are the columns of `RESULT_COLUMNS`."""
    return Result(
        subject=subject,
        kind=_KINDS[kind],
        method=method,
        value=value,
        rows=int(rows),
        state=_STATES[state],
        bounds=Bounds(lower, upper, alert_lower, alert_upper, expected),
        sampling_error=sampling_error,
        p_value=p_value,
        reason=reason,
        effect=effect,
        segment=segment,
        subject_kind=_SUBJECT_KINDS[subject_kind],
    )
