"""Labels of predictions, in a table of their own: they may precede their predictions, come late, or be revised."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, bindparam, case, literal_column
from sqlalchemy.dialects.mysql import Insert, insert

from driftline.errors import InvalidInput, SchemaMismatch
from driftline.store import bulk, ledger
from driftline.store.tables import labels

COLUMNS = ("id", "value", "known_at")


def write_batch(
    connection: Connection,
    batch_id: str,
    model_number: int,
    frame: pd.DataFrame,
    written_at: datetime,
    content: str | None = None,
) -> int | None:
    """Write a batch of labels through the ledger; return its number, or None where the ledger has it already.

    `frame` has id (text), value (0 or 1) and known_at (aware). A stored label with the same value stays unchanged;
    another value is a revision. `content` is the hash of what was sent, by default that of the frame.

    Raises:
        BatchConflict: the ledger has the batch id with other content.
        SchemaMismatch: a column is missing. InvalidInput: a value is neither 0 nor 1, or an id is not unique.
    """
    _require_labels(frame)
    kind, payload = ledger.BatchKind.LABELS, bulk.encode(frame, COLUMNS)
    batch = ledger.Batch(batch_id, kind, content or ledger.content_hash(payload), len(frame), written_at, model_number)
    number = ledger.open_batch(connection, batch, [ledger.Consumer.MONITOR])
    if number is not None and len(frame) and not _load(connection, number, model_number, payload):
        _merge(connection, number, model_number, frame)
    return number


def _require_labels(frame: pd.DataFrame) -> None:
    missing = tuple(name for name in COLUMNS if name not in frame)
    if missing:
        raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))
    if not frame["value"].isin((0, 1)).all() or frame["id"].duplicated().any():
        raise InvalidInput("Labels must be 0 or 1 and ids unique within a batch; nothing was written.")


def _load(connection: Connection, batch_number: int, model_number: int, payload: bytes) -> bool:
    """Load labels that are all new, many times faster than one by one; return whether they were, else write none.

    Rows in the table's order load faster, and two writers of the same labels wait for each other rather than deadlock.
    """
    ordered = b"".join(line + b"\n" for line in sorted(payload.split(b"\n")[:-1]))
    constants = {"model_number": model_number, "batch_number": batch_number}
    savepoint = connection.begin_nested()
    try:
        bulk.load(connection, labels, COLUMNS, ordered, constants)
    except InvalidInput:
        savepoint.rollback()  # only after this error: a deadlock ends the transaction and its savepoints
        return False
    savepoint.commit()
    return True


def _merge(connection: Connection, batch_number: int, model_number: int, frame: pd.DataFrame) -> None:
    """Insert new labels and revise those whose value differs."""
    known = pd.to_datetime(frame["known_at"], utc=True).dt.tz_localize(None)
    values = frame["value"].astype(int)
    rows = [
        {"number": model_number, "name": name, "label": label, "known": instant.to_pydatetime(), "batch": batch_number}
        for name, label, instant in zip(frame["id"].astype(str), values, known, strict=True)
    ]
    connection.execute(_upsert(), rows)


def _upsert() -> Insert:
    """Overwrite only changed labels: MySQL assigns from left to right, so `value` comes last.

    There is no bound value after VALUES: with one, PyMySQL would send the rows one by one.
    """
    new = insert(labels).values(
        model_number=bindparam("number"),
        id=bindparam("name"),
        value=bindparam("label"),
        known_at=bindparam("known"),
        batch_number=bindparam("batch"),
    )
    changed = labels.c.value != new.inserted.value
    return new.on_duplicate_key_update(
        [
            ("revision", labels.c.revision + case((changed, literal_column("1")), else_=literal_column("0"))),
            ("known_at", case((changed, new.inserted.known_at), else_=labels.c.known_at)),
            ("batch_number", case((changed, new.inserted.batch_number), else_=labels.c.batch_number)),
            ("value", new.inserted.value),
        ]
    )
