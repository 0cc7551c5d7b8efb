"""Event times far from all others, such as missing times that were stored as 1970. No I/O here."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from driftline.backtesting.input.values.instants import as_datetime, as_microseconds
from driftline.engine.frames.columns import BoolArray, IntArray
from driftline.errors import InvalidInput

_DAY = 86_400 * 1_000_000
_YEAR = 365.25 * _DAY
_FEWEST = 20
"""With fewer rows than this, no time is outlying."""
_SHARE = 100
"""At most one row in this many is outlying."""
_SPANS = 3
"""An outlying time is farther from the others than this many times their span."""


def reject_outlying(times: IntArray, numbers: IntArray, column: str, zone: ZoneInfo) -> None:
    """Raise InvalidInput for event times that do not belong with the others.

    These are midnights of 1970-01-01, in UTC or in `zone`, a year or more before all others; and up to one row in a
    hundred that is both a year and three times the span of the others away from them. `times` are microseconds since
    1970, `numbers` the row numbers.
    """
    if len(times) < _FEWEST or int(times.max()) - int(times.min()) < _YEAR:
        return
    zeros = np.isin(times, [0, as_microseconds(datetime(1970, 1, 1, tzinfo=zone))])
    if zeros.any() and not zeros.all() and int(times[~zeros].min()) >= _YEAR:
        cause = "a missing time was probably stored as 0; correct these rows, or leave them out"
        raise _fault(column, times, numbers, zeros, cause)
    outlying = _outlying(times)
    if outlying is not None:
        raise _fault(column, times, numbers, outlying, "correct these rows, or leave them out")


def _outlying(times: IntArray) -> BoolArray | None:
    """Return the mask of rows far before the others, else far after them; None where there are none."""
    size, most = len(times), max(1, len(times) // _SHARE)
    ordered = np.partition(times, [most, size - 1 - most])
    low, high = int(ordered[most]), int(ordered[size - 1 - most])
    gap = max(_YEAR, _SPANS * (high - low))
    earliest, latest = np.sort(ordered[: most + 1]), np.sort(ordered[size - 1 - most :])
    early = np.flatnonzero(np.diff(earliest) > gap)
    if len(early):
        return np.asarray(times <= earliest[early[-1]])
    late = np.flatnonzero(np.diff(latest) > gap)
    return np.asarray(times >= latest[late[0] + 1]) if len(late) else None


def _fault(column: str, times: IntArray, numbers: IntArray, outlying: BoolArray, cure: str) -> InvalidInput:
    """Return the error for outlying rows: their times, count, distance from the others, and first row."""
    outliers, regular = times[outlying], times[~outlying]
    is_earlier = bool(outliers.max() < regular.min())
    gap = int(regular.min()) - int(outliers.max()) if is_earlier else int(outliers.min()) - int(regular.max())
    first, last = as_datetime(int(outliers.min())).isoformat(), as_datetime(int(outliers.max())).isoformat()
    span = first if first == last else f"{first} to {last}"
    row = int(numbers[outlying].min())
    return InvalidInput(
        f"column {column!r} has {span} in {len(outliers):,} row{'' if len(outliers) == 1 else 's'}, "
        f"{gap / _YEAR:.0f} years {'before' if is_earlier else 'after'} all others; the first is row {row:,}. "
        f"{cure[0].upper()}{cure[1:]}."
    )
