"""Labels: the truth about predictions, in their own table, before, long after, or corrected."""

from datetime import datetime

import pandas as pd
from sqlalchemy import Connection, bindparam, case, literal_column
from sqlalchemy.dialects.mysql import Insert, insert

from driftline import bulk, ledger
from driftline.errors import InvalidInput, SchemaMismatch
from driftline.tables import labels

COLUMNS = ("id", "value", "known_at")


def content_hash(frame: pd.DataFrame) -> str:
    """Hash a batch of labels: id, value and the instant each became known."""
    return ledger.content_hash(bulk.encode(frame, COLUMNS))


def write(connection: Connection, batch_number: int, model_number: int, frame: pd.DataFrame) -> None:
    """Write labels within an open batch; the same value again is a no-op, another value is a revision.

    `frame` has id (text), value (0 or 1) and known_at (aware).

    Raises:
        SchemaMismatch: a column is missing. InvalidInput: a value is neither 0 nor 1, or an id stands twice.
    """
    missing = tuple(name for name in COLUMNS if name not in frame)
    if missing:
        raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))
    if not frame["value"].isin((0, 1)).all() or frame["id"].duplicated().any():
        raise InvalidInput("A label is 0 or 1, and each id stands once in a batch; nothing was written.")
    if frame.empty:
        return
    known = pd.to_datetime(frame["known_at"], utc=True).dt.tz_localize(None)
    values = frame["value"].astype(int)
    rows = [
        {"number": model_number, "name": name, "label": label, "known": instant.to_pydatetime(), "batch": batch_number}
        for name, label, instant in zip(frame["id"].astype(str), values, known, strict=True)
    ]
    connection.execute(_upsert(), rows)


def _upsert() -> Insert:
    """Overwrite only what changed: MySQL assigns from left to right, so `value` comes last.

    No bound value stands after VALUES, or PyMySQL would send row by row.
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


def write_batch(
    connection: Connection, batch_id: str, model_number: int, frame: pd.DataFrame, written_at: datetime
) -> int | None:
    """Write a batch of labels through the ledger; give its number, or None where it is there already.

    Raises:
        BatchConflict: the id is there with other content.
    """
    kind = ledger.BatchKind.LABELS
    batch = ledger.Batch(batch_id, kind, content_hash(frame), len(frame), written_at, model_number)
    number = ledger.open_batch(connection, batch, [ledger.Consumer.MONITOR])
    if number is not None:
        write(connection, number, model_number, frame)
    return number
