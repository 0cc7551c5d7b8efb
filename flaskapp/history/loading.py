"""Loads a history: its batches through the ledger, then the daily summary."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, select, text

from churn.ledger import ChurnBatchKind
from driftline.clock import naive_utc
from driftline.errors import Conflict
from driftline.store.database import in_transaction, translated
from driftline.store.tables import ledger
from flaskapp.records import RecordBatch, write_records


@dataclass(frozen=True)
class HistorySpan:
    """The period of a history, both instants included; the ids of all its batches begin with `prefix`."""

    prefix: str
    first: datetime
    last: datetime


@dataclass(frozen=True)
class LoadedHistory:
    """The span of a loaded history, its number of records, and how many of them were new."""

    span: HistorySpan
    records: int
    new: int


def load(engine: Engine, span: HistorySpan, batches: Iterable[RecordBatch], now: datetime) -> LoadedHistory:
    """Load the batches of a history through the ledger, one transaction each.

    Raises:
        Conflict: another history covers some of the same time.
    """
    _require_no_overlap(engine, span)
    records = new = 0
    for batch in batches:
        records += len(batch.frame)
        new += _write(engine, batch, now)
    return LoadedHistory(span, records, new)


def _write(engine: Engine, batch: RecordBatch, now: datetime) -> int:
    return in_transaction(engine, lambda connection: write_records(connection, batch, now))


def _require_no_overlap(engine: Engine, span: HistorySpan) -> None:
    """Reject a history that overlaps another one: usage would be counted twice."""
    entry = ledger.c
    query = select(entry.batch_id).where(
        entry.kind == ChurnBatchKind.HISTORY,
        entry.first_event <= naive_utc(span.last),
        entry.last_event >= naive_utc(span.first),
        ~entry.batch_id.startswith(span.prefix, autoescape=True),
    )
    with translated(), engine.connect() as connection:
        overlapping = connection.execute(query.limit(1)).scalar()
    if overlapping is not None:
        raise Conflict(
            f"DP_CDR_Data has another history between {span.first:%Y-%m-%d} and {span.last:%Y-%m-%d} (batch "
            f"{overlapping}); loading this one too would count usage twice. Choose other days, or start with an empty "
            "database."
        )


def fill_daily_summary(engine: Engine, first: datetime) -> int:
    """Fill `DailySummary` from a day on by calling `GetDailyCDRDataBatch`; return the number of days."""
    with translated(), engine.connect() as connection:
        return len(connection.execute(text("CALL GetDailyCDRDataBatch(:day)"), {"day": first.date()}).all())
