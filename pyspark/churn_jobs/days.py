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
        """The first instant that is past the range, aware."""
        return midnight(self.last + DAY)

    def preceded_by(self, days: int) -> "DayRange":
        """Begin so many days earlier."""
        return DayRange(self.first - days * DAY, self.last)

    def slices(self, days: int) -> list["DayRange"]:
        """Cut into consecutive ranges of at most so many days."""
        firsts = (self.first + n * DAY for n in range(0, len(self), days))
        return [DayRange(first, min(first + (days - 1) * DAY, self.last)) for first in firsts]


def midnight(day: date) -> datetime:
    """Return the day's first instant, aware: when its subscriber-days' predictions are stamped."""
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True, slots=True)
class AskedRange:
    """The range somebody asked for; None is as far as there is data."""

    first: date | None = None
    last: date | None = None

    def over(self, other: "AskedRange") -> "AskedRange":
        """Take this range's ends, and the other's where this one leaves them open."""
        return AskedRange(self.first or other.first, self.last or other.last)


def choose(asked: AskedRange, available: DayRange | None, source: str, cure: str) -> DayRange:
    """Choose the asked days from the available ones.

    Raises:
        NotFound: `source` has no days at all; `cure` says how to get them.
        InvalidInput: the ends are swapped, or a day lies outside; the error shows the available range.
    """
    if available is None:
        raise NotFound(f"{source} has no rows yet. {cure}")
    chosen = DayRange(asked.first or available.first, asked.last or available.last)
    faults = _faults(chosen, available)
    if faults:
        message = f"The range {chosen} cannot be used; available in {source}: {available} (both included)."
        raise InvalidInput(message, details=faults)
    return chosen


def _faults(chosen: DayRange, available: DayRange) -> tuple[str, ...]:
    rules = {
        f"it starts after it ends ({chosen.first} > {chosen.last})": chosen.first > chosen.last,
        f"{chosen.first} is before the first day": chosen.first < available.first,
        f"{chosen.last} is after the last day": chosen.last > available.last,
    }
    return tuple(fault for fault, broken in rules.items() if broken)
