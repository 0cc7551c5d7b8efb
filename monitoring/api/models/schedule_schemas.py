"""The requests and responses about polls of a model, as types that /openapi.json shows."""

from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from driftline.models.examples import MODEL
from driftline.models.schema import ModelDetailOut
from driftline.store.polling.schedules import LONGEST_CRON, Schedule
from monitoring.report.polling import Polling
from monitoring.service import LastPoll

_POLLING: dict[str, Any] = {
    "every_seconds": None,
    "cron": "0 6 * * mon-fri",
    "time_zone": "Europe/Berlin",
    "last_poll": "2026-05-15T04:00:02Z",
    "next_poll": "2026-05-18T04:00:00Z",
    "waiting_batches": 3,
    "waiting_chunks": 0,
    "failed_chunks": 0,
    "waiting_since": "2026-05-15T09:12:44Z",
    "lag_seconds": 5210.0,
}


class ScheduleIn(BaseModel):
    """When a model is polled: `every` so long, or at the times of a `cron` expression; one of both."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"cron": "0 6 * * mon-fri", "time_zone": "Europe/Berlin"}}
    )

    every: timedelta | None = Field(None, description="ISO 8601, such as PT1H, or seconds")
    cron: str | None = Field(
        None, min_length=1, max_length=LONGEST_CRON, description="minute, hour, day, month, day of the week"
    )
    time_zone: str = Field("UTC", min_length=1, max_length=64, description="of the cron expression")

    def schedule(self) -> Schedule:
        """Return the schedule; raise InvalidInput where it has no polls."""
        schedule = Schedule(self.every, self.cron, self.time_zone)
        schedule.require_valid()
        return schedule


class PollingOut(BaseModel):
    """The polling status of a model; `every_seconds` is the monitor's if the model has no schedule of its own."""

    model_config = ConfigDict(json_schema_extra={"example": _POLLING})

    every_seconds: float | None
    cron: str | None
    time_zone: str
    last_poll: datetime | None = Field(description="when it began; of a model without own schedule, when it ended")
    next_poll: datetime | None
    waiting_batches: int = Field(description="batches whose chunks are not known yet")
    waiting_chunks: int = Field(description="chunks that the next poll computes")
    failed_chunks: int = Field(description="those of them that have failed; they are tried again, ever more rarely")
    waiting_since: datetime | None = Field(description="when the oldest batch came that is not in the results")
    lag_seconds: float = Field(description="how long ago that is; 0 if nothing waits")

    @classmethod
    def of(cls, polling: Polling, last: LastPoll | None, every_seconds: float, now: datetime) -> Self:
        """Return the JSON object; `last` and `every_seconds` are of models without own schedule."""
        schedule, since = polling.schedule, polling.waiting_since
        if schedule is None:
            following = last and last.at + timedelta(seconds=every_seconds)
            when = {"every_seconds": every_seconds, "cron": None, "time_zone": "UTC"}
            polls = {"last_poll": last and last.at, "next_poll": following}
        else:
            every = None if schedule.schedule.every is None else schedule.schedule.every.total_seconds()
            when = {"every_seconds": every, "cron": schedule.schedule.cron, "time_zone": schedule.schedule.time_zone}
            polls = {"last_poll": schedule.last_poll, "next_poll": schedule.next_poll(now)}
        return cls(
            **when,
            **polls,
            waiting_batches=polling.batches,
            waiting_chunks=polling.chunks,
            failed_chunks=polling.failed_chunks,
            waiting_since=since,
            lag_seconds=0.0 if since is None else max((now - since).total_seconds(), 0.0),
        )


class MonitoredModelOut(ModelDetailOut):
    """A model with all its versions, and how its polls are going."""

    model_config = ConfigDict(json_schema_extra={"example": {**MODEL, "polling": _POLLING}})

    polling: PollingOut
