"""Labels of predictions, in a table of their own: they may precede their predictions, come late, or be revised.

A label is 0 or 1 of a binary model and a number of a regression, both in the column `value`; that of a multiclass model
is the name of its class, in the column `class_name`. Both are stored exactly.

Of all labels of an id, the one with the newest `known_at` is stored, for any order of arrival; of several with the
same `known_at`, the largest value, or the class whose UTF-8 bytes come last.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
)
from sqlalchemy.dialects.mysql import Insert, insert

from driftline.engine.catalogue import Problem
from driftline.engine.frames.columns import BoolArray
from driftline.errors import InvalidInput, SchemaMismatch
from driftline.store import bulk, ledger
from driftline.store.tables import labels

COLUMNS = ("id", "value", "known_at")
LONGEST_CLASS = 255
CLASS_PATTERN = rf"[^\n]{{1,{LONGEST_CLASS}}}"
"""What the name of a class may be: it is loaded by lines."""


def value_column(problem: Problem) -> Column[Any]:
    """Return the column of the table that has the labels of a problem."""
    return labels.c.class_name if problem is Problem.MULTICLASS else labels.c.value


def write_batch(
    connection: Connection,
    batch_id: str,
    model_number: int,
    frame: pd.DataFrame,
    written_at: datetime,
    content: str | None = None,
    *,
    problem: Problem = Problem.BINARY,
) -> int | None:
    """Write a batch of labels through the ledger; return its number, or None where the ledger has it already.

    `frame` has id (text), value (0 or 1; a class as text; a number, by the problem) and known_at (aware). Another value
    with a newer `known_at` is a revision. Where the value is the same, only the newest `known_at` is stored, and the
    label stays of the batch that it is of; an older label changes nothing. `content` is the hash of what was sent, by
    default that of the frame.

    Raises:
        BatchConflict: the ledger has the batch id with other content.
        SchemaMismatch: a column is missing. InvalidInput: a value is not a label, or an id is not unique.
    """
    _require_labels(frame, problem)
    column = value_column(problem).name
    renamed = frame[list(COLUMNS)].rename(columns={"value": column})
    kind, payload = ledger.BatchKind.LABELS, bulk.encode(renamed, ("id", column, "known_at"))
    batch = ledger.Batch(batch_id, kind, content or ledger.content_hash(payload), len(frame), written_at, model_number)
    number = ledger.open_batch(connection, batch, [ledger.Consumer.MONITOR])
    if number is not None and len(frame) and not _load(connection, number, model_number, column, payload):
        _merge(connection, number, model_number, column, renamed)
    return number


def _require_labels(frame: pd.DataFrame, problem: Problem) -> None:
    missing = tuple(name for name in COLUMNS if name not in frame)
    if missing:
        raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))
    faults = tuple(_faults(frame, problem))
    if faults:
        raise InvalidInput("The labels are invalid; nothing was written.", details=faults)


def _faults(frame: pd.DataFrame, problem: Problem) -> Iterator[str]:
    """Yield what is wrong with the ids and the values."""
    repeated = frame["id"].duplicated()
    if repeated.any():
        yield f"id {frame['id'][repeated].iloc[0]!r} is repeated; send each label once in a batch"
    valid, words = _valid(frame["value"], problem), _DESCRIPTIONS[problem]
    if not valid.all():
        rows = np.flatnonzero(~valid)
        first = frame["value"].iloc[rows[:1]].tolist()[0]
        yield f"{len(rows):,} labels are not {words}, first {first!r} (row {rows[0] + 1:,})"


_DESCRIPTIONS = {
    Problem.BINARY: "0 or 1",
    Problem.MULTICLASS: f"classes, as texts of 1 to {LONGEST_CLASS} characters in one line",
    Problem.REGRESSION: "finite numbers",
}


def _valid(values: "pd.Series[Any]", problem: Problem) -> BoolArray:
    """Return which values are labels of a problem."""
    if problem is Problem.BINARY:
        return np.asarray(values.isin((0, 1)), dtype=bool)
    if problem is Problem.REGRESSION:
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return np.asarray(np.isfinite(numbers), dtype=bool)
    texts = values.astype(object)
    is_text = np.array([isinstance(text, str) for text in texts], dtype=bool)
    fits = texts.where(is_text, "").astype(str).str.fullmatch(CLASS_PATTERN)
    valid: BoolArray = is_text & np.asarray(fits, dtype=bool)
    return valid


def _load(connection: Connection, batch_number: int, model_number: int, column: str, payload: bytes) -> bool:
    """Load labels that are all new, many times faster than one by one; return whether they were, else write none.

    Rows in the table's order load faster, and two writers of the same labels wait for each other rather than deadlock.
    """
    ordered = b"".join(line + b"\n" for line in sorted(payload.split(b"\n")[:-1]))
    constants = {"model_number": model_number, "batch_number": batch_number}
    savepoint = connection.begin_nested()
    try:
        bulk.load(connection, labels, ("id", column, "known_at"), ordered, constants)
    except InvalidInput:
        savepoint.rollback()  # only after this error: a deadlock ends the transaction and its savepoints
        return False
    savepoint.commit()
    return True


def _merge(connection: Connection, batch_number: int, model_number: int, column: str, frame: pd.DataFrame) -> None:
    """Insert new labels and revise those that have another value and are older."""
    known_at = pd.to_datetime(frame["known_at"], utc=True).dt.tz_localize(None)
    convert = str if column == labels.c.class_name.name else float
    both = dict.fromkeys((labels.c.value.name, labels.c.class_name.name))
    rows = [
        {
            "number": model_number,
            "name": name,
            **both,
            column: convert(label),
            "known": instant.to_pydatetime(),
            "batch": batch_number,
        }
        for name, label, instant in zip(frame["id"].astype(str), frame[column], known_at, strict=True)
    ]
    connection.execute(_upsert(), rows)


def _upsert() -> Insert:
    """Overwrite older labels: MySQL assigns from left to right, so what the conditions read comes last.

    Classes are compared byte by byte, since MySQL ignores blanks at the end of a text. There is no bound value after
    VALUES: with one, PyMySQL would send the rows one by one.
    """
    new = insert(labels).values(
        model_number=bindparam("number"),
        id=bindparam("name"),
        value=bindparam("value"),
        class_name=bindparam("class_name"),
        known_at=bindparam("known"),
        batch_number=bindparam("batch"),
    )
    sent = new.inserted
    value_wins = _wins(labels.c.value, sent.value, sent.known_at)
    class_wins = _wins(cast(labels.c.class_name, LargeBinary), cast(sent.class_name, LargeBinary), sent.known_at)
    revised = or_(value_wins, class_wins)
    return new.on_duplicate_key_update(
        [
            ("revision", labels.c.revision + case((revised, literal_column("1")), else_=literal_column("0"))),
            ("batch_number", case((revised, sent.batch_number), else_=labels.c.batch_number)),
            ("value", case((value_wins, sent.value), else_=labels.c.value)),
            ("class_name", case((class_wins, sent.class_name), else_=labels.c.class_name)),
            ("known_at", func.greatest(labels.c.known_at, sent.known_at)),
        ]
    )


def _wins(stored: ColumnElement[Any], sent: ColumnElement[Any], known_at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return whether a sent label differs from the stored one and replaces it: it is newer, or as new and larger."""
    newer = and_(known_at > labels.c.known_at, stored.is_distinct_from(sent))
    return or_(newer, and_(known_at == labels.c.known_at, sent > stored))
