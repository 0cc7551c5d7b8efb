"""Chunks: consecutive half-open periods of a time zone's calendar, or fixed numbers of rows. No I/O here."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, pairwise
from numbers import Integral
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from driftline.engine.results import EVENT_TIME
from driftline.engine.spec import Period
from driftline.errors import InvalidInput

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Chunk:
    """A period from `start` (included) to `end` (excluded), both aware and in UTC."""

    start: datetime
    end: datetime

    def __contains__(self, instant: datetime) -> bool:
        return self.start <= instant < self.end


def chunk_of(instant: datetime, period: Period, zone: ZoneInfo) -> Chunk:
    """Return the chunk that contains `instant`, an aware datetime.

    Chunks begin where a period begins on the wall clocks of `zone`: a day on which clocks change has 23 or 25 hours,
    an hour that the clocks repeat is two chunks, and a period that the clocks skip does not exist.

    Raises InvalidInput for a naive instant, and for one within a few periods of the calendar's ends (the years 1 and
    9999).
    """
    if instant.tzinfo is None:
        msg = f"{instant.isoformat()} has no time zone; use aware instants, best in UTC"
        raise InvalidInput(msg)
    try:
        starts = _starts_around(instant, period, zone)
    except (OverflowError, ValueError) as exc:
        msg = f"{instant.isoformat()} is at the end of the calendar; correct it, or leave its row out"
        raise InvalidInput(msg) from exc
    return Chunk(max(s for s in starts if s <= instant), min(s for s in starts if s > instant))


def next_chunk(chunk: Chunk, period: Period, zone: ZoneInfo) -> Chunk:
    """Return the chunk that begins where `chunk` ends."""
    return chunk_of(chunk.end, period, zone)


def previous_chunk(chunk: Chunk, period: Period, zone: ZoneInfo) -> Chunk:
    """Return the chunk that ends where `chunk` begins."""
    return chunk_of(chunk.start - timedelta(microseconds=1), period, zone)


def split_by_chunk(frame: pd.DataFrame, period: Period, zone: ZoneInfo) -> Iterator[tuple[Chunk, pd.DataFrame]]:
    """Yield each chunk that has rows of `frame` (by `event_time`), oldest first, with these rows.

    Event times are aware timestamps of any unit, none missing. Rows in time order are not copied. The cost is one sort
    and one search for each chunk.
    """
    times = _aware(frame[EVENT_TIME])
    if times.is_monotonic_increasing:
        for chunk, rows in _runs_in_order(pd.DatetimeIndex(times).tz_convert("UTC"), period, zone):
            yield chunk, frame.iloc[rows]
        return
    for chunk, positions in _runs(times, period, zone):
        yield chunk, frame.iloc[positions]


def row_sizes(total: int, rows: int) -> tuple[int, ...]:
    """Cut `total` rows into chunks of `rows` rows each; the last may be smaller."""
    full, remainder = divmod(total, rows)
    return (rows,) * full + ((remainder,) if remainder else ())


def count_sizes(total: int, count: int) -> tuple[int, ...]:
    """Cut `total` rows into `count` chunks whose sizes differ by at most one row, or into fewer if rows are fewer."""
    chunks = min(total, count)
    edges = [total * chunk // chunks for chunk in range(chunks + 1)] if chunks else []
    return tuple(end - start for start, end in pairwise(edges))


def split_by_sizes(frame: pd.DataFrame, sizes: Sequence[int]) -> Iterator[tuple[Chunk, pd.DataFrame]]:
    """Yield chunks of `sizes` rows in the order of event time; rows of one instant keep their order.

    A chunk begins with its first event and ends where the next begins; the last ends a microsecond after its last
    event. If rows of one instant are in several chunks, each later chunk begins a microsecond later, so that all chunks
    are distinct. Raises InvalidInput for sizes that do not add up to all rows.
    """
    if not all(isinstance(size, Integral) and size > 0 for size in sizes):
        msg = f"chunk sizes must be whole numbers above 0, not {list(sizes)!r}"
        raise InvalidInput(msg)
    if sum(sizes) != len(frame):
        msg = f"chunks of {sum(sizes)} rows cannot hold {len(frame)} rows; sizes must add up to all of them"
        raise InvalidInput(msg)
    order = pd.DatetimeIndex(_aware(frame[EVENT_TIME])).tz_convert("UTC").argsort(kind="stable")
    ordered = frame.iloc[order]
    edges = list(accumulate(sizes, initial=0))
    marks = np.array([*edges[:-1], -1] if len(frame) else [], dtype=np.int64)
    instants = [time.to_pydatetime(warn=False).astimezone(UTC) for time in ordered[EVENT_TIME].iloc[marks]]
    for chunk, (first, last) in zip(tiled(instants), pairwise(edges), strict=True):
        yield chunk, ordered.iloc[first:last]


def tiled(instants: Sequence[datetime]) -> Iterator[Chunk]:
    """Yield chunks that begin at all but the last of these ascending instants; the last is that of the last event."""
    if not instants:
        return
    step = timedelta(microseconds=1)
    start = instants[0]
    for following in instants[1:-1]:
        end = max(following, start + step)
        yield Chunk(start, end)
        start = end
    yield Chunk(start, max(instants[-1], start) + step)


def _aware(times: pd.Series) -> pd.Series:
    if not isinstance(times.dtype, pd.DatetimeTZDtype) or bool(times.isna().any()):
        msg = f"event times must be aware timestamps, none missing; these are {times.dtype}"
        raise InvalidInput(msg)
    return times


def _runs(times: pd.Series, period: Period, zone: ZoneInfo) -> Iterator[tuple[Chunk, pd.Index]]:
    """Yield each chunk that contains any of `times`, oldest first, with their positions in ascending order."""
    ordered = pd.DatetimeIndex(times).tz_convert("UTC").argsort(kind="stable")
    instants = pd.DatetimeIndex(times.iloc[ordered]).tz_convert("UTC")
    for chunk, rows in _runs_in_order(instants, period, zone):
        yield chunk, pd.Index(ordered[rows]).sort_values()


def _runs_in_order(instants: pd.DatetimeIndex, period: Period, zone: ZoneInfo) -> Iterator[tuple[Chunk, slice]]:
    """Yield each chunk that contains any of the ascending `instants` (UTC), with their slice.

    The search is in whole numbers: pandas copies all instants for each search where units differ.
    """
    first, microseconds = 0, instants.as_unit("us").to_numpy("datetime64[us]").view(np.int64)
    while first < len(instants):
        chunk = chunk_of(instants[first].to_pydatetime(warn=False), period, zone)
        last = int(microseconds.searchsorted((chunk.end - _EPOCH) // timedelta(microseconds=1)))
        yield chunk, slice(first, last)
        first = last


def _starts_around(instant: datetime, period: Period, zone: ZoneInfo) -> list[datetime]:
    """Return the starts of the periods around `instant`, at least the last at or before it and the first after it."""
    floor, step = _CALENDAR[period]
    local = floor(instant.astimezone(zone).replace(tzinfo=None))
    folds = (0, 1) if period is Period.HOUR else (0,)
    walls = (step(local, count) for count in range(-2, 4))
    return [wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for wall in walls for fold in folds]


def _midnight(wall: datetime) -> datetime:
    return wall.replace(hour=0, minute=0, second=0, microsecond=0)


def _monday(wall: datetime) -> datetime:
    return _midnight(wall) - timedelta(days=wall.weekday())


def _quarter(wall: datetime) -> datetime:
    return _midnight(wall).replace(month=wall.month - (wall.month - 1) % 3, day=1)


def _add_months(wall: datetime, months: int) -> datetime:
    year, month = divmod(wall.year * 12 + wall.month - 1 + months, 12)
    return wall.replace(year=year, month=month + 1)


_CALENDAR: dict[Period, tuple[Callable[[datetime], datetime], Callable[[datetime, int], datetime]]] = {
    Period.HOUR: (lambda w: w.replace(minute=0, second=0, microsecond=0), lambda w, n: w + timedelta(hours=n)),
    Period.DAY: (_midnight, lambda w, n: w + timedelta(days=n)),
    Period.WEEK: (_monday, lambda w, n: w + timedelta(weeks=n)),
    Period.MONTH: (lambda w: _midnight(w).replace(day=1), _add_months),
    Period.QUARTER: (_quarter, lambda w, n: _add_months(w, 3 * n)),
}
"""For each period, the function that rounds a wall time down to a start, and the one that adds a number of periods."""
