"""The days that both models score."""

from datetime import UTC, datetime, timedelta

STARTS = [datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=n) for n in range(14)]
