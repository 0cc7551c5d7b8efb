"""The trading days of the Dhaka Stock Exchange: Sunday to Thursday, without holidays. No I/O here."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

FRIDAY, SATURDAY = 4, 5
FIXED_HOLIDAYS = ((2, 21), (3, 26), (4, 14), (5, 1), (8, 15), (12, 16), (12, 25), (12, 31))
"""Month and day of holidays on fixed days; religious ones follow the moon, and are given by date."""
DAY = timedelta(days=1)
NOT_A_TRADING_DAY = 99


@dataclass(frozen=True)
class TradingCalendar:
    """Which days are trading days; `holidays` are those beside the fixed ones."""

    holidays: frozenset[date] = field(default_factory=frozenset)

    def is_trading_day(self, day: date) -> bool:
        """Return whether the exchange trades on a day."""
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
        return [day for day in self.trading_days(min(present), max(present)) if day not in present]


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 on a trading day and 99, by which Airflow skips what follows, on another."""
    parser = argparse.ArgumentParser(prog="python -m examples.dse.trading_calendar", description=main.__doc__)
    parser.add_argument("day", type=date.fromisoformat)
    return 0 if TradingCalendar().is_trading_day(parser.parse_args(arguments).day) else NOT_A_TRADING_DAY


if __name__ == "__main__":
    sys.exit(main())
