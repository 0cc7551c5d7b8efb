"""Event times that are far from all others, such as missing ones that were stored as 1970. No I/O here."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from driftline.backtesting.input.instants import as_microseconds, aware
from driftline.engine.columns import BoolArray, IntArray
from driftline.errors import InvalidInput

_DAY = 86_400 * 1_000_000
_YEAR = 365.25 * _DAY
_FEWEST = 20
"""Among fewer rows than this no time is far from the others."""
_SHARE = 100
"""One row in so many, at most, is far from the others."""
_SPANS = 3
"""How many times the span of the others an outlying time is away from them."""


def reject_outlying(times: IntArray, numbers: IntArray, column: str, zone: ZoneInfo) -> None:
    """Raise InvalidInput for event times that cannot be of the same data as the others.

    These are midnights of 1970-01-01, in UTC or in `zone`, a year or more before all others; and up to one row in a
    hundred that is both a year and three times the span of the others away from them. `times` are microseconds since
    1970, `numbers` those of the rows.
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
    """Return which rows are far from the others, before or after them; None where none is."""
    size, most = len(times), max(1, len(times) // _SHARE)
    ordered = np.partition(times, [most, size - 1 - most])
    low, high = int(ordered[most]), int(ordered[size - 1 - most])
    gap = max(_YEAR, _SPANS * (high - low))
    before, after = np.sort(ordered[: most + 1]), np.sort(ordered[size - 1 - most :])
    early = np.flatnonzero(np.diff(before) > gap)
    if len(early):
        return np.asarray(times <= before[early[-1]])
    late = np.flatnonzero(np.diff(after) > gap)
    return np.asarray(times >= after[late[0] + 1]) if len(late) else None


def _fault(column: str, times: IntArray, numbers: IntArray, outlying: BoolArray, cure: str) -> InvalidInput:
    rows, others = times[outlying], times[~outlying]
    before = bool(rows.max() < others.min())
    gap = int(others.min()) - int(rows.max()) if before else int(rows.min()) - int(others.max())
    first, last = aware(int(rows.min())).isoformat(), aware(int(rows.max())).isoformat()
    span = first if first == last else f"{first} to {last}"
    row = int(numbers[outlying].min())
    return InvalidInput(
        f"column {column!r} has {span} in {len(rows):,} row{'' if len(rows) == 1 else 's'}, {gap / _YEAR:.0f} years "
        f"{'before' if before else 'after'} all others; the first is row {row:,}. {cure[0].upper()}{cure[1:]}."
    )
