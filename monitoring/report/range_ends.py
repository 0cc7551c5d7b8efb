"""The ends of a range of chunks: an instant, or a whole day on the wall clocks of the model's zone. No I/O here."""

from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from driftline.engine.chunking.chunks import Chunk, chunk_of
from driftline.engine.spec import Period

RangeEnd = date
"""A `date` that is no `datetime` is the whole day."""
FIRST_AND_LAST_YEAR = (MINYEAR, MAXYEAR)
"""In these years of the calendar days are those of UTC: a zone's may lie beyond its ends."""
_NOON = time(12)


def is_day(end: RangeEnd | None) -> bool:
    """Return whether an end is a whole day, so that its instant depends on the zone."""
    return end is not None and not isinstance(end, datetime)


def range_start(end: RangeEnd | None, zone: ZoneInfo) -> datetime | None:
    """Return the first instant of a range, None without one."""
    if end is None or isinstance(end, datetime):
        return end
    return datetime.combine(end, time.min, UTC) if end.year in FIRST_AND_LAST_YEAR else _day(end, zone).start


def range_stop(end: RangeEnd | None, zone: ZoneInfo) -> datetime | None:
    """Return the last instant of a range, included, None without one."""
    if end is None or isinstance(end, datetime):
        return end
    if end.year in FIRST_AND_LAST_YEAR:
        return datetime.combine(end, time.max, UTC)
    return _day(end, zone).end - timedelta(microseconds=1)


def _day(day: date, zone: ZoneInfo) -> Chunk:
    return chunk_of(datetime.combine(day, _NOON, zone), Period.DAY, zone)
