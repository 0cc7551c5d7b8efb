"""Where the time comes from: passed in, so that logic never looks at the wall by itself."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the present instant, aware and in UTC."""


FURTHEST_FUTURE = timedelta(days=1)
"""No row may be stamped further ahead of the writer's clock than this: clocks differ, years don't."""


def utc_now() -> datetime:
    """Give the wall's time in UTC."""
    return datetime.now(UTC)


def naive_utc(instant: datetime) -> datetime:
    """Give an aware instant as the naive UTC value that `DATETIME(6)` columns hold."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def aware_utc(stored: datetime) -> datetime:
    """Give a naive value of a `DATETIME(6)` column its zone, UTC."""
    return stored.replace(tzinfo=UTC)
