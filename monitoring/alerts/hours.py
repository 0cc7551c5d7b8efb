"""When a message may be sent: quiet hours and the times of a digest, in a time zone. No I/O here."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from monitoring.zones import Zone

DAY = timedelta(days=1)


def _as_time(value: Any) -> Any:
    """Return a time of day; YAML reads 20:30 without quotes as a number, in base 60."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 24 * 60:
        return time(*divmod(value, 60))
    if isinstance(value, str):
        try:
            return time.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"{value!r:.100} is not a time of day; write '20:30'") from error
    return value


TimeOfDay = Annotated[time, BeforeValidator(_as_time)]
_CONFIG = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class QuietHours(BaseModel):
    """A part of each day in which nothing is sent; it may span midnight."""

    model_config = _CONFIG

    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")
    time_zone: Zone = ZoneInfo("UTC")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start == self.end:
            raise ValueError("quiet_hours begin and end at the same time; name two times, or leave them out")
        return self

    def end_after(self, now: datetime) -> datetime | None:
        """Return when the quiet hours end that an instant is in; None outside of them."""
        local = now.astimezone(self.time_zone)
        for day in (local.date() - DAY, local.date()):
            begin = datetime.combine(day, self.start, self.time_zone)
            end = datetime.combine(day + DAY * (self.end < self.start), self.end, self.time_zone)
            if begin.astimezone(UTC) <= now < end.astimezone(UTC):
                return end.astimezone(UTC)
        return None


class Digest(BaseModel):
    """The times of each day at which everything is sent in one message."""

    model_config = _CONFIG

    at: tuple[TimeOfDay, ...] = Field(min_length=1)
    time_zone: Zone = ZoneInfo("UTC")

    def next_after(self, now: datetime) -> datetime:
        """Return the next of its times."""
        return min(moment for moment in self._near(now) if moment > now)

    def _near(self, now: datetime) -> Iterator[datetime]:
        today = now.astimezone(self.time_zone).date()
        for day in (today, today + DAY):
            yield from (datetime.combine(day, at, self.time_zone).astimezone(UTC) for at in self.at)
