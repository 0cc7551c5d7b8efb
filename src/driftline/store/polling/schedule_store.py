"""Stores the schedules of models that have their own, and when each was polled last."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, RowMapping, delete, select, update
from sqlalchemy.dialects.mysql import insert as upsert

from driftline.clock import aware_utc, naive_utc
from driftline.store.database import in_transaction, translated
from driftline.store.model_numbers import model_number
from driftline.store.polling.schedules import Schedule
from driftline.store.tables import poll_schedules

_COLUMNS = poll_schedules.c


@dataclass(frozen=True, slots=True)
class StoredSchedule:
    """The schedule of a model, and when its last poll began; None if there was none."""

    schedule: Schedule
    last_poll: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Return whether a poll is due."""
        return self.schedule.is_due(self.last_poll, now)

    def next_poll(self, now: datetime) -> datetime | None:
        """Return when the next poll is due: at once if one was missed."""
        return now if self.last_poll is None or self.is_due(now) else self.schedule.next_after(self.last_poll)


def read_schedules(connection: Connection, model_number: int | None = None) -> dict[int, StoredSchedule]:
    """Return the schedules by the number of their model, of all models or of one; those without one are left out."""
    stored = select(poll_schedules)
    if model_number is not None:
        stored = stored.where(_COLUMNS.model_number == model_number)
    return {row["model_number"]: _schedule(row) for row in connection.execute(stored).mappings()}


def write_schedule(connection: Connection, model_number: int, schedule: Schedule) -> None:
    """Set the schedule of a model in place of the stored one."""
    values = {
        "every_seconds": None if schedule.every is None else int(schedule.every.total_seconds()),
        "cron": schedule.cron,
        "time_zone": schedule.time_zone,
    }
    row = upsert(poll_schedules).values(model_number=model_number, **values)
    connection.execute(row.on_duplicate_key_update(values))


def delete_schedule(connection: Connection, model_number: int) -> None:
    """Let a model be polled with all others again."""
    connection.execute(delete(poll_schedules).where(_COLUMNS.model_number == model_number))


def record_polls(connection: Connection, model_numbers: Collection[int], began: datetime) -> None:
    """Record when the polls of models began."""
    of_models = _COLUMNS.model_number.in_(sorted(model_numbers))
    connection.execute(update(poll_schedules).where(of_models).values(last_poll_at=naive_utc(began)))


def schedule_of(engine: Engine, name: str) -> Schedule | None:
    """Return the schedule of a model; None where it is polled with all others.

    Raises:
        NotFound: no such model.
    """
    with translated(), engine.connect() as connection:
        number = model_number(connection, name)
        stored = read_schedules(connection, number).get(number)
    return None if stored is None else stored.schedule


def set_schedule(engine: Engine, name: str, schedule: Schedule | None) -> None:
    """Set the schedule of a model; with None it is polled with all other models again.

    Raises:
        InvalidInput: the schedule has no polls. NotFound: no such model.
    """
    if schedule is not None:
        schedule.require_valid()

    def work(connection: Connection) -> None:
        number = model_number(connection, name)
        if schedule is None:
            delete_schedule(connection, number)
        else:
            write_schedule(connection, number, schedule)

    in_transaction(engine, work)


def _schedule(row: RowMapping) -> StoredSchedule:
    every = row["every_seconds"]
    schedule = Schedule(None if every is None else timedelta(seconds=every), row["cron"], row["time_zone"])
    return StoredSchedule(schedule, row["last_poll_at"] and aware_utc(row["last_poll_at"]))
