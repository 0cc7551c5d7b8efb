"""Ranges of days, both ends included: the requested one, and the one to explore. No I/O here."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from driftline.errors import NotFound


@dataclass(frozen=True)
class DaySpan:
    """The UTC days from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def start(self) -> datetime:
        """The naive UTC instant at which the first day begins."""
        return datetime.combine(self.first, time())

    @property
    def end(self) -> datetime:
        """The naive UTC instant at which the last day has ended."""
        return datetime.combine(self.last, time()) + timedelta(days=1)

    @property
    def days(self) -> int:
        """The number of days."""
        return (self.last - self.first).days + 1

    def __str__(self) -> str:
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


@dataclass(frozen=True)
class RequestedSpan:
    """The days that a user requested; None stands for the first or last day with records."""

    start_date: date | None
    end_date: date | None

    def __str__(self) -> str:
        if self == RequestedSpan(None, None):
            return "all days"
        return f"{self.start_date or 'the first day'} to {self.end_date or 'the last day'}"

    def within(self, available: DaySpan) -> DaySpan:
        """Return the days to explore: the part of the range within the days with records.

        Raises:
            NotFound: the range lies outside them; the error shows the available days.
        """
        first = max(self.start_date or available.first, available.first)
        last = min(self.end_date or available.last, available.last)
        if first > last:
            raise no_records(str(self), available)
        return DaySpan(first, last)


def no_records(requested: str, available: DaySpan) -> NotFound:
    """Return the error for a range without records; it names the days with records."""
    return NotFound(f"There are no records in {requested}. Available: {available} (UTC days, both included).")
