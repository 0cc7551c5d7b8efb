"""Event times as numbers: seconds to nanoseconds since 1970, and numbers that are not instants. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftline.engine.frames.columns import BoolArray, FloatArray, IntArray
from driftline.errors import InvalidInput

EARLIEST, LATEST = datetime(1700, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""An event time before the first or from the second on is a fault: tables write 9999-12-31 for `never`."""
YEARS = f"{EARLIEST.year} to {LATEST.year - 1}"
ErrorFor = Callable[[BoolArray, str], InvalidInput]
"""Returns the error for some rows of a column, from a mask of the rows and a description of the fault."""


@dataclass(frozen=True, slots=True)
class TimeFaults:
    """Makes the errors for the times of a column; `in_pandas` says that the caller has a frame, not a file or rows."""

    error_for: ErrorFor
    in_pandas: bool = False

    def cure(self, in_pandas: str, elsewhere: str) -> str:
        """Return the cure that the caller can use."""
        return in_pandas if self.in_pandas else elsewhere


_LIMITS = {"seconds": 10**11, "milliseconds": 10**14, "microseconds": 10**17, "nanoseconds": 10**20}
"""The units that numbers since 1970 can have, each with the bound that its numbers stay below."""
PER_SECOND = {"seconds": 1, "milliseconds": 10**3, "microseconds": 10**6, "nanoseconds": 10**9}
_MICRO = 10**6
_TOO_EARLY = 10**8
"""Seconds since 1970 that are all smaller than this, and so before March 1973, count something else."""
_SPREADSHEET_DAYS = (32_000, 80_000)
"""Spreadsheets write dates as days since 1899-12-30: these are 1987-08-11 to 2119-01-10."""
_DATE_LENGTHS = (8, 10, 12, 14)
_PARTS = (
    (10**10, 10**4, 1900, 2100),
    (10**8, 100, 1, 12),
    (10**6, 100, 1, 31),
    (10**4, 100, 0, 23),
    (10**2, 100, 0, 59),
    (1, 100, 0, 59),
)
"""Year, month, day, hour, minute, second of a date in 14 digits: divisor, modulus, and lowest and highest value."""
_SAMPLE = 1_000


def epoch_unit(column: "pd.Series[Any]") -> str | None:
    """Return the unit of numbers since 1970, by the largest of them; None for a column without numbers."""
    if not len(column) or not is_number(column):
        return None
    return _unit_of(float(column.abs().max()))


def is_number(column: "pd.Series[Any]") -> bool:
    """Return whether a column has numbers that can be instants."""
    return column.dtype.kind in "iuf"


def microseconds_of_numbers(column: "pd.Series[Any]", unit: str | None, faults: TimeFaults) -> IntArray:
    """Return numbers since 1970 in microseconds; without `unit` it is inferred from their size.

    Raises InvalidInput for dates in digits, for numbers that count something else, and for those of another unit.
    """
    values = column.to_numpy(dtype=f"{column.dtype.kind}8")
    if are_dates_in_digits(values[:_SAMPLE]) and are_dates_in_digits(values):
        all_rows = np.ones(len(values), dtype=bool)
        raise faults.error_for(all_rows, "a date in digits; write it as 2026-01-31 or 2026-01-31T08:00:00Z")
    sizes = np.abs(values.astype(np.float64))
    unit = unit or _unit_of(float(sizes.max(initial=0)))
    if unit == "seconds":
        _reject_other_counts(column, values, faults)
    foreign = _other_unit_fault(sizes, unit)
    if foreign.any():
        raise faults.error_for(
            foreign, f"a number that is not in {unit} since 1970, as the others are; write times in ISO 8601"
        )
    second = PER_SECOND[unit]
    signed = values.astype(np.float64)
    far = (signed < EARLIEST.timestamp() * second) | (signed >= LATEST.timestamp() * second)
    if far.any():
        raise faults.error_for(far, f"a number that, as {unit} since 1970, is not in the years {YEARS}")
    return _to_microseconds(values, second)


def _unit_of(size: float) -> str:
    return next((unit for unit, limit in _LIMITS.items() if size < limit), "nanoseconds")


def _other_unit_fault(sizes: FloatArray, unit: str) -> BoolArray:
    limits = [0, *_LIMITS.values()]
    place = list(_LIMITS).index(unit)
    fits: BoolArray = (limits[place] <= sizes) & (sizes < limits[place + 1])
    return ~fits


def _reject_other_counts(column: "pd.Series[Any]", values: npt.NDArray[Any], faults: TimeFaults) -> None:
    """Raise InvalidInput for numbers that, as seconds since 1970, would all be before March 1973."""
    if not len(values) or not np.all(np.isfinite(values)) or np.abs(values).max() >= _TOO_EARLY:
        return
    first, last = values.min(), values.max()
    numbers = f"column {column.name!r} has numbers from {_grouped(first)} to {_grouped(last)}"
    if _SPREADSHEET_DAYS[0] <= first and last < _SPREADSHEET_DAYS[1]:
        day = pd.Timestamp("1899-12-30") + pd.Timedelta(days=int(first))
        cure = faults.cure(
            f"in pandas pd.to_datetime(data[{column.name!r}], unit='D', origin='1899-12-30') converts them",
            "in a spreadsheet give the column the format yyyy-mm-dd hh:mm:ss and save the file again",
        )
        msg = (
            f"{numbers}, which look like the days of a spreadsheet ({int(first):,} is {day.date()}) and not seconds "
            f"since 1970; write the times in ISO 8601: {cure}"
        )
        raise InvalidInput(msg)
    cure = faults.cure(
        "In pandas, seconds from a start become times with "
        f"pd.Timestamp('2026-01-31') + pd.to_timedelta(data[{column.name!r}], unit='s')",
        "Seconds from a start become seconds since 1970 when the start's are added, 1769846400 for 2026-01-31",
    )
    raise InvalidInput(f"{numbers}, which are too small to be seconds since 1970; write the times in ISO 8601. {cure}")


def _grouped(number: Any) -> str:
    """Return a number with commas between thousands and up to three decimals."""
    return f"{float(number):,.3f}".rstrip("0").rstrip(".")


def _to_microseconds(values: npt.NDArray[Any], second: int) -> IntArray:
    """Return numbers as microseconds; `second` is one second in their unit."""
    factor = values.dtype.type(max(1, _MICRO // second))
    is_integer = values.dtype.kind in "iu"
    scaled = values * factor // max(1, second // _MICRO) if is_integer else np.rint(values * (_MICRO / second))
    return scaled.astype(np.int64)


def are_dates_in_digits(values: npt.NDArray[Any]) -> bool:
    """Return whether all numbers are dates in digits: 20260131, or up to 20260131080000."""
    length = len(str(int(values[0]))) if len(values) and np.isfinite(values[0]) else 0
    if length not in _DATE_LENGTHS or not bool(((values >= 10 ** (length - 1)) & (values < 10**length)).all()):
        return False
    digits = values.astype(np.int64) * 10 ** (max(_DATE_LENGTHS) - length)
    parts = ((low, digits // divisor % modulus, high) for divisor, modulus, low, high in _PARTS)
    possible = (bool(np.all((low <= part) & (part <= high))) for low, part, high in parts)
    return bool(np.all(values % 1 == 0)) and all(possible)
