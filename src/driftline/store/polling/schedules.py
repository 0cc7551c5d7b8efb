"""When the scheduled polls of a model are due: at an interval, or at the times of a cron expression. No I/O here."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from driftline.errors import InvalidInput, MissingLibrary

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=366)
LONGEST_CRON = 100
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """An interval, or a cron expression of five fields in a time zone; exactly one of both."""

    every: timedelta | None = None
    cron: str | None = None
    time_zone: str = "UTC"

    def require_valid(self) -> None:
        """Raise InvalidInput unless the schedule has polls."""
        if (self.every is None) is (self.cron is None):
            raise InvalidInput("A schedule is either an interval or a cron expression; give `every` or `cron`.")
        if self.every is not None and not SHORTEST <= self.every <= LONGEST:
            raise InvalidInput(f"An interval of {self.every} is not between 1 second and 366 days; choose another one.")
        if self.cron is not None and (len(self.cron) > LONGEST_CRON or self._next_time(datetime.now(UTC)) is None):
            raise InvalidInput(f"The cron expression {self.cron!r:.120} has no next time; choose other days or months.")

    def next_after(self, last: datetime) -> datetime | None:
        """Return when the poll is due that follows the one of an instant; None if there is none."""
        return last + self.every if self.every is not None else self._next_time(last)

    def is_due(self, last: datetime | None, now: datetime) -> bool:
        """Return whether a poll is due, the last one being that of an instant; None if there was none.

        However many were missed, one is due. After a clock that went back, one is due at once.
        """
        if last is None or last > now:
            return True
        following = self.next_after(last)
        return following is not None and following <= now

    def _next_time(self, last: datetime) -> datetime | None:
        """Return the first time of the cron expression after an instant.

        Raises:
            InvalidInput: there is no such time zone or expression. MissingLibrary: APScheduler is not installed.
        """
        try:
            from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415  (intervals do not need it)
        except ModuleNotFoundError as error:
            msg = "A cron expression needs APScheduler; pip install 'driftline[monitor]', or choose an interval."
            raise MissingLibrary(msg) from error
        try:
            zone = ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise InvalidInput(f"There is no time zone {self.time_zone!r}; write one such as Europe/Berlin.") from error
        try:
            trigger = CronTrigger.from_crontab(self.cron, timezone=zone)
            following: datetime | None = trigger.get_next_fire_time(None, last + _INSTANT)
        except (ValueError, TypeError, OverflowError) as error:
            raise InvalidInput(
                f"{self.cron!r:.120} is not a cron expression ({error}); write minute, hour, day, month and weekday, "
                'such as "0 6 * * mon-fri".'
            ) from error
        return None if following is None else following.astimezone(UTC)
