"""Counts the polls of this process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class PollMetrics:
    """How many polls ended and failed, how long they took, and when the last one ended."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Create the metrics in a registry."""
        self._polls = Counter("driftline_polls", "Polls of this process by outcome.", ("outcome",), registry=registry)
        for outcome in ("ended", "failed"):
            self._polls.labels(outcome)
        self._seconds = Histogram(
            "driftline_poll_seconds", "Time of a poll.", buckets=(0.1, 0.5, 2, 10, 60, 300, 1800), registry=registry
        )
        self._last = Gauge(
            "driftline_last_poll_timestamp_seconds", "When a poll ended without failure.", registry=registry
        )

    @contextmanager
    def count(self) -> Iterator[None]:
        """Count a poll."""
        begun = time.perf_counter()
        try:
            yield
        except Exception:
            self._polls.labels("failed").inc()
            raise
        self._polls.labels("ended").inc()
        self._seconds.observe(time.perf_counter() - begun)
        self._last.set_to_current_time()
