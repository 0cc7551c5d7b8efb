"""The ends of a range of chunks: an instant, or a whole day on the wall clocks of the model's zone. No I/O here."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from driftline.engine.chunking.chunks import Chunk, chunk_of
from driftline.engine.spec import Period

RangeEnd = date
"""A `date` that is no `datetime` is the whole day."""
_NOON = 12


def range_start(end: RangeEnd | None, zone: ZoneInfo) -> datetime | None:
    """Return the first instant of a range, None without one."""
    return end if end is None or isinstance(end, datetime) else _day(end, zone).start


def range_stop(end: RangeEnd | None, zone: ZoneInfo) -> datetime | None:
    """Return the last instant of a range, included, None without one."""
    return end if end is None or isinstance(end, datetime) else _day(end, zone).end - timedelta(microseconds=1)


def _day(day: date, zone: ZoneInfo) -> Chunk:
    return chunk_of(datetime(day.year, day.month, day.day, _NOON, tzinfo=zone), Period.DAY, zone)
