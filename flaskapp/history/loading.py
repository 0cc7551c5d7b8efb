"""Writing a history: its batches through the ledger, then the daily summary."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select, text

from churn.ledger import ChurnBatchKind
from driftline.clock import naive_utc
from driftline.errors import Conflict
from driftline.store.database import in_transaction, translated
from driftline.store.tables import ledger
from flaskapp.records import RecordBatch, write_records

Progress = Callable[[int], None]
"""Is told how much more was done."""


@dataclass(frozen=True)
class Span:
    """Where a history comes from and lies: `prefix` begins all its batches' ids; both instants are included."""

    prefix: str
    first: datetime
    last: datetime


@dataclass(frozen=True)
class Loaded:
    """What a history holds, and how many of its records were new."""

    span: Span
    records: int
    new: int


def load(engine: Engine, span: Span, batches: Iterable[RecordBatch], now: datetime) -> Loaded:
    """Load the batches of a history through the ledger, each in one transaction.

    Raises:
        Conflict: another history has records in the same time.
    """
    _require_room(engine, span)
    records = new = 0
    for batch in batches:
        records += len(batch.frame)
        new += _write(engine, batch, now)
    return Loaded(span, records, new)


def _write(engine: Engine, batch: RecordBatch, now: datetime) -> int:
    return in_transaction(engine, lambda connection: write_records(connection, batch, now))


def _require_room(engine: Engine, span: Span) -> None:
    """Refuse a second history over the first: every usage would count twice."""
    entry = ledger.c
    other = select(entry.batch_id).where(
        entry.kind == ChurnBatchKind.HISTORY,
        entry.first_event <= naive_utc(span.last),
        entry.last_event >= naive_utc(span.first),
        ~entry.batch_id.startswith(span.prefix, autoescape=True),
    )
    with translated(), engine.connect() as connection:
        there = connection.execute(other.limit(1)).scalar()
    if there is not None:
        raise Conflict(
            f"DP_CDR_Data has another history between {span.first:%Y-%m-%d} and {span.last:%Y-%m-%d} (batch {there}); "
            "loading this one too would count usage twice. Choose other days, or begin with an empty database."
        )


def summarize(engine: Engine, first: datetime) -> int:
    """Fill `DailySummary` from a day on by `GetDailyCDRDataBatch`; give the number of days."""
    with translated(), engine.connect() as connection:
        return len(connection.execute(text("CALL GetDailyCDRDataBatch(:day)"), {"day": first.date()}).all())
