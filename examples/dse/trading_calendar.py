"""The trading days of the Dhaka Stock Exchange, when they end, and the file that corrects them."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from driftline import DriftlineError, InvalidInput
from examples.entry_points import run_main

FRIDAY, SATURDAY = 4, 5
FIXED_HOLIDAYS = ((2, 21), (3, 26), (4, 14), (5, 1), (8, 15), (12, 16), (12, 25), (12, 31))
"""Month and day of holidays on fixed days; religious ones follow the moon, and are given by date."""
CLOSE, ZONE = time(14, 30), ZoneInfo("Asia/Dhaka")
DAY = timedelta(days=1)
NOT_A_TRADING_DAY = 99
TRADING = "+"
"""Begins a line of the holidays file that names a trading day."""
MOST_DAYS = 10
"""Days that a line of `differences` lists."""
HOLIDAYS_HELP = "a file with a date a line: a holiday beside the fixed ones, or with + before it a further trading day"


@dataclass(frozen=True)
class TradingCalendar:
    """Which days are trading days: Sunday to Thursday without holidays, and special sessions.

    `holidays` are those beside the fixed ones; `special_sessions` are trading days on a weekend or a fixed holiday.
    """

    holidays: frozenset[date] = field(default_factory=frozenset)
    special_sessions: frozenset[date] = field(default_factory=frozenset)

    def is_trading_day(self, day: date) -> bool:
        """Return whether the exchange trades on a day."""
        if day in self.special_sessions:
            return True
        weekend = day.weekday() in (FRIDAY, SATURDAY)
        return not weekend and (day.month, day.day) not in FIXED_HOLIDAYS and day not in self.holidays

    def next_trading_day(self, day: date) -> date:
        """Return the first trading day after a day."""
        following = day + DAY
        while not self.is_trading_day(following):
            following += DAY
        return following

    def trading_days(self, first: date, last: date) -> Iterator[date]:
        """Yield the trading days of a period, both ends included."""
        day = first if self.is_trading_day(first) else self.next_trading_day(first)
        while day <= last:
            yield day
            day = self.next_trading_day(day)

    def gaps(self, days: Iterable[date]) -> list[date]:
        """Return the trading days missing between the first and the last day; weekends and holidays are none."""
        present = set(days)
        if not present:
            return []
        return [day for day in self.trading_days(min(present), max(present)) if day not in present]

    def unexpected(self, days: Iterable[date]) -> list[date]:
        """Return the days that are not trading days."""
        return sorted(day for day in set(days) if not self.is_trading_day(day))


def closing(day: date) -> datetime:
    """Return the instant at which trading ends on a day: 14:30 in Dhaka, which had daylight saving time in 2009."""
    return datetime.combine(day, CLOSE, ZONE)


def differences(days: Iterable[date], calendar: TradingCalendar) -> Iterator[str]:
    """Yield a line about the days that are not trading days of a calendar, and one about the days that are missing."""
    present = set(days)
    cure = "The label of the day before each is unknown; if the calendar is wrong, correct it by --holidays FILE, with"
    if unexpected := calendar.unexpected(present):
        yield f"Not trading days of the calendar: {_listed(unexpected)}. {cure} lines such as {TRADING}{unexpected[0]}."
    if gaps := calendar.gaps(present):
        yield f"Missing trading days: {_listed(gaps)}. {cure} lines such as {gaps[0]}."


def _listed(days: Sequence[date]) -> str:
    """Return the number of days and the first of them."""
    others = f" and {len(days) - MOST_DAYS:,} more, which .venv/bin/python -m examples.dse.index_file FILE prints"
    further = others if len(days) > MOST_DAYS else ""
    return f"{len(days):,} ({', '.join(map(str, days[:MOST_DAYS]))}{further})"


def read_calendar(file: Path) -> TradingCalendar:
    """Read a holidays file: a date a line, `+` before that of a special session; a `#` begins a comment.

    Raises:
        InvalidInput: a line is not a date, or a day is both.
        OSError: the file cannot be read.
    """
    days: dict[bool, set[date]] = {True: set(), False: set()}
    for number, line in enumerate(file.read_text("utf-8-sig", errors="replace").splitlines(), start=1):
        for text in line.partition("#")[0].split():
            days[text.startswith(TRADING)].add(_day(text, f"Line {number} of {file}"))
    if both := sorted(days[True] & days[False]):
        raise InvalidInput(f"{file} has {both[0]} as a holiday and as a trading day; keep one of the lines.")
    return TradingCalendar(holidays=frozenset(days[False]), special_sessions=frozenset(days[True]))


def _day(text: str, line: str) -> date:
    try:
        return date.fromisoformat(text.removeprefix(TRADING))
    except ValueError:
        example = f"write a holiday as 2024-04-10, and a trading day as {TRADING}2024-02-21"
        raise InvalidInput(f"{line} has {text!r}, which is not a date; {example}.") from None


def add_holidays_option(parser: argparse.ArgumentParser) -> None:
    """Add the option `--holidays`, whose value is the calendar."""
    parser.add_argument("--holidays", type=_calendar, default=TradingCalendar(), metavar="FILE", help=HOLIDAYS_HELP)


def _calendar(name: str) -> TradingCalendar:
    try:
        return read_calendar(Path(name))
    except (InvalidInput, OSError) as error:
        raise argparse.ArgumentTypeError(f"{error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 on a trading day and 99, by which Airflow skips what follows, on another."""
    parser = argparse.ArgumentParser(prog="python -m examples.dse.trading_calendar", description=main.__doc__)
    parser.add_argument("day", type=date.fromisoformat)
    add_holidays_option(parser)
    options = parser.parse_args(arguments)
    calendar: TradingCalendar = options.holidays
    return 0 if calendar.is_trading_day(options.day) else NOT_A_TRADING_DAY


if __name__ == "__main__":
    sys.exit(run_main(main, DriftlineError))
