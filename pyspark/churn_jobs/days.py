"""Ranges of days, both ends included. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from driftline.errors import InvalidInput, NotFound

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days from `first` to `last`, both included; a day is a UTC day."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    def __len__(self) -> int:
        return max((self.last - self.first).days + 1, 0)

    def __iter__(self) -> Iterator[date]:
        return (self.first + n * DAY for n in range(len(self)))

    @property
    def start(self) -> datetime:
        """The first instant, aware."""
        return midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first instant after the range, aware."""
        return midnight(self.last + DAY)

    def preceded_by(self, days: int) -> "DayRange":
        """Return the range extended by `days` earlier days."""
        return DayRange(self.first - days * DAY, self.last)

    def slices(self, days: int) -> list["DayRange"]:
        """Return the consecutive ranges of at most `days` days that make up this one."""
        firsts = (self.first + n * DAY for n in range(0, len(self), days))
        return [DayRange(first, min(first + (days - 1) * DAY, self.last)) for first in firsts]


def midnight(day: date) -> datetime:
    """Return the day's first instant, aware: the event time of its subscriber-days' predictions."""
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True, slots=True)
class RequestedDays:
    """The range that a user requested; None stands for the first or last day with data."""

    first: date | None = None
    last: date | None = None

    def or_else(self, defaults: "RequestedDays") -> "RequestedDays":
        """Return this range with each end that is None replaced by that of `defaults`."""
        return RequestedDays(self.first or defaults.first, self.last or defaults.last)


def choose(requested: RequestedDays, available: DayRange | None, source: str, cure: str) -> DayRange:
    """Return the requested days, limited to the available ones where an end is None.

    Raises:
        NotFound: `source` has no days; the message ends with `cure`.
        InvalidInput: the ends are swapped, or a day lies outside; the error shows the available range.
    """
    if available is None:
        raise NotFound(f"{source} has no rows yet. {cure}")
    days = DayRange(requested.first or available.first, requested.last or available.last)
    faults = _faults(days, available)
    if faults:
        message = f"The range {days} cannot be used; available in {source}: {available} (both included)."
        raise InvalidInput(message, details=faults)
    return days


def _faults(days: DayRange, available: DayRange) -> tuple[str, ...]:
    rules = {
        f"it starts after it ends ({days.first} > {days.last})": days.first > days.last,
        f"{days.first} is before the first day": days.first < available.first,
        f"{days.last} is after the last day": days.last > available.last,
    }
    return tuple(fault for fault, broken in rules.items() if broken)
