"""Prepared rows in `Processed_Data`: finds the outdated ones and replaces them through the ledger."""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Insert, and_, delete, func, insert, literal, select

from churn.columns import Processed
from churn.ledger import ChurnBatchKind
from churn.tables import processed, processed_staging
from churn_jobs.batches import DayPart, Part, empty, prepare_id
from churn_jobs.days import DayRange, midnight
from churn_jobs.prepared.features import PREPARED
from churn_jobs.prepared.staging import require_staged
from driftline.store import ledger
from driftline.store.tables import ledger as ledger_table

DAY_COLUMN = processed.c[Processed.DATE]


def available(connection: Connection) -> DayRange | None:
    """Return the prepared days, or None where there are none."""
    first, last = connection.execute(select(func.min(DAY_COLUMN), func.max(DAY_COLUMN))).one()
    return DayRange(first, last) if first else None


def outdated(connection: Connection, days: DayRange, computed: Sequence[DayPart]) -> list[DayPart]:
    """Return the parts whose stored rows differ from the computed ones, and an empty part for a day without rows."""
    stored = _stored(connection, days)
    changed = [part for part in computed if (part.part.day, part.content_hash, part.rows) not in stored]
    emptied = {day for day, _, _ in stored} - {part.part.day for part in computed}
    return changed + [empty(day) for day in sorted(emptied)]


def _stored(connection: Connection, days: DayRange) -> Collection[tuple[date, str, int]]:
    """Return (day, content hash, rows) of each batch of these days; rows is -1 if some rows are missing."""
    rows = func.count()
    statement = (
        select(DAY_COLUMN, ledger_table.c.content_hash, rows, ledger_table.c.rows_written)
        .join(ledger_table, ledger_table.c.number == processed.c.batch_number)
        .where(DAY_COLUMN.between(days.first, days.last))
        .group_by(DAY_COLUMN, ledger_table.c.content_hash, ledger_table.c.rows_written)
    )
    counts = connection.execute(statement)
    return {(day, content, count if count == written else -1) for day, content, count, written in counts}


def name_batch(connection: Connection, rows: DayPart) -> str:
    """Return the id of the batch for these rows; it stays the same until the batch is written."""
    base = prepare_id(rows, 0)
    same = (ledger_table.c.batch_id == base) | ledger_table.c.batch_id.startswith(f"{base}/", autoescape=True)
    written_before = connection.execute(select(func.count()).select_from(ledger_table).where(same)).scalar_one()
    return prepare_id(rows, written_before)


def replace(connection: Connection, batch_id: str, attempt: str, rows: DayPart, now: datetime) -> bool:
    """Replace the part's rows by the staged ones, in this transaction; return whether the batch was new."""
    instant = midnight(rows.part.day)
    kind = ChurnBatchKind.PROCESSED
    batch = ledger.Batch(batch_id, kind, rows.content_hash, rows.rows, now, first_event=instant, last_event=instant)
    number = ledger.open_batch(connection, batch)
    if number is not None:
        require_staged(connection, processed_staging, batch_id, attempt, rows.rows)
        connection.execute(delete(processed).where(_of(rows.part)))
        connection.execute(_moved(batch_id, attempt, number))
    connection.execute(delete(processed_staging).where(processed_staging.c.batch_id == batch_id))
    return number is not None


def _moved(batch_id: str, attempt: str, number: int) -> Insert:
    staged = select(*(processed_staging.c[name] for name in PREPARED), literal(number)).where(
        processed_staging.c.batch_id == batch_id, processed_staging.c.attempt == attempt
    )
    return insert(processed).from_select([*PREPARED, "batch_number"], staged)


def _of(part: Part) -> ColumnElement[bool]:
    """Return the condition for a part's rows; Spark and MySQL agree on CRC32."""
    number = func.crc32(processed.c[Processed.USER]) % part.parts
    return and_(DAY_COLUMN.between(part.day, part.day), number.in_([part.number]))
