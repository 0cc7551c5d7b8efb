"""Reads the polling status of a model: the last and the next poll, and what is pending since when."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from driftline.clock import aware_utc
from driftline.store.ledger import Consumer
from driftline.store.polling.schedule_store import StoredSchedule, read_schedules
from driftline.store.tables import ledger, pending_batches, pending_chunks


@dataclass(frozen=True, slots=True)
class Polling:
    """The polling status of a model: its own schedule, if any, and the pending batches and chunks.

    `waiting_since` is when the oldest batch was written that is not in the results; None if there is none.
    """

    schedule: StoredSchedule | None
    batches: int
    chunks: int
    failed_chunks: int
    waiting_since: datetime | None


def read_polling(connection: Connection, model_number: int) -> Polling:
    """Read the polling status of a model."""
    batches = connection.execute(
        select(func.count(), func.min(ledger.c.written_at))
        .select_from(pending_batches.join(ledger, ledger.c.number == pending_batches.c.batch_number))
        .where(pending_batches.c.consumer == Consumer.MONITOR, ledger.c.model_number == model_number)
    ).one()
    columns = pending_chunks.c
    chunks = connection.execute(
        select(func.count(), func.min(columns.waiting_since), func.count(func.nullif(columns.attempts, 0))).where(
            columns.model_number == model_number, columns.due_at.is_(None)
        )
    ).one()
    since = [aware_utc(instant) for instant in (batches[1], chunks[1]) if instant is not None]
    schedule = read_schedules(connection, model_number).get(model_number)
    return Polling(schedule, batches[0], chunks[0], chunks[2], min(since, default=None))
