"""The clock, which is passed in so that logic never reads the time itself, and conversions of stored instants."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""A function that returns the current instant, timezone-aware and in UTC."""

MAX_CLOCK_SKEW = timedelta(days=1)
"""How far the time of a row may lie ahead of the writer's clock: clocks differ, but not by more."""


def utc_now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def naive_utc(instant: datetime) -> datetime:
    """Return an aware instant as the naive UTC value that a `DATETIME(6)` column stores."""
    return instant.astimezone(UTC).replace(tzinfo=None)


def aware_utc(stored: datetime) -> datetime:
    """Return a naive value of a `DATETIME(6)` column as an aware instant in UTC."""
    return stored.replace(tzinfo=UTC)
