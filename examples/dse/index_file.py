"""Reads an index's days from an export, with thousands separators, volumes in K, M or B, and percentages.

As a program it prints how the days differ from the trading calendar, as lines of a holidays file.
"""

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from driftline import DriftlineError, InvalidInput
from examples.dse.trading_calendar import TRADING, TradingCalendar, add_holidays_option
from examples.entry_points import run_main

COLUMNS = {
    "date": ("date",),
    "close": ("price", "close"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "volume": ("vol.", "volume"),
}
"""Each column with the names that exports give it, in small letters."""
UNITS = {"K": 1e3, "M": 1e6, "B": 1e9}
DATE_FORMATS = ("%m/%d/%Y", "%Y-%m-%d")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the lines that make the calendar agree with an export: further trading days, and missing days as holidays.

    A missing day may also be a gap of the export: keep only the lines of real holidays.
    """
    parser = argparse.ArgumentParser(prog="python -m examples.dse.index_file", description=main.__doc__)
    parser.add_argument("file", type=Path, help="an export of an index's days")
    add_holidays_option(parser)
    options = parser.parse_args(arguments)
    days = [day.date() for day in read_index(options.file)["date"]]
    calendar: TradingCalendar = options.holidays
    lines = [*(f"{TRADING}{day}" for day in calendar.unexpected(days)), *map(str, calendar.gaps(days))]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


def read_index(file: Path) -> pd.DataFrame:
    """Return the days of an export, oldest first: `date` and the numbers of `COLUMNS`; all but a close may be missing.

    Raises:
        InvalidInput: it is no CSV file in UTF-8, has no days, lacks a column, has a value that cannot be read, a close
            that is no positive number, or a day twice.
    """
    try:
        texts = pd.read_csv(file, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    except ValueError as error:  # also pandas' errors, and that of the encoding
        raise InvalidInput(f"{file} cannot be read ({error}); save the export as CSV in UTF-8.") from error
    columns = {name: texts[_column(texts, name)].str.strip() for name in COLUMNS}
    if texts.empty:
        raise InvalidInput(f"{file} has no days; save the export with a row for each day.")
    dates = _dates(columns.pop("date"))
    days = pd.DataFrame({"date": dates, **{name: _numbers(values) for name, values in columns.items()}})
    if twice := sorted(days.loc[days["date"].duplicated(), "date"]):
        raise InvalidInput(f"{len(twice)} days are there twice ({twice[0]:%Y-%m-%d}); keep one row for each day.")
    if without := sorted(days.loc[~(days["close"] > 0), "date"]):
        raise InvalidInput(
            f"{len(without)} days have no close above 0 ({without[0]:%Y-%m-%d}); correct the close, or remove the row."
        )
    return days.sort_values("date", ignore_index=True)


def number(text: str) -> float | None:
    """Return the number of a text such as `4,719.39`, `1.25M` or `-0.36%` (as -0.36); None where it is empty or `-`.

    Raises:
        ValueError: the text is not a finite number.
    """
    plain = text.replace(",", "").removesuffix("%")
    if plain in ("", "-"):
        return None
    unit = UNITS.get(plain[-1].upper())
    value = float(plain) if unit is None else float(plain[:-1]) * unit
    if not math.isfinite(value):
        raise ValueError(f"not finite: {text!r}")
    return value


def _column(texts: pd.DataFrame, name: str) -> str:
    present = [title for title in texts.columns if title.strip().lower() in COLUMNS[name]]
    if not present:
        raise InvalidInput(
            f"There is no column {' or '.join(COLUMNS[name])}; the file has {', '.join(texts.columns)}. "
            "Name the columns so, and separate them by commas."
        )
    return present[0]


def _dates(texts: pd.Series) -> pd.Series:
    for form in DATE_FORMATS:
        dates = pd.to_datetime(texts, format=form, errors="coerce")
        if dates.notna().all():
            return dates
    fault = texts[dates.isna()].iloc[0]
    raise InvalidInput(f"Column 'Date' has {fault!r}; write dates as 05/26/2025 (month first) or 2025-05-26.")


def _numbers(texts: pd.Series) -> pd.Series:
    try:
        return texts.map(number).astype(float)
    except ValueError as error:
        raise InvalidInput(f"Column {texts.name!r} has a value that is not a number ({error}); correct it.") from error


if __name__ == "__main__":
    sys.exit(run_main(main, DriftlineError))
