"""Draws the metrics around an incident for channels that take a picture; a message without one is sent all the same."""

import logging

from sqlalchemy import Engine

from driftline.engine.calendar import LONGEST_CHUNK
from driftline.engine.results import ResultKind
from driftline.errors import DriftlineError
from driftline.report.view import ChunkView
from driftline.store.database import translated
from driftline.store.versions import registry
from monitoring.alerts.messages.alert import Alert
from monitoring.poll.monitored_version import clock_of
from monitoring.report.chunk_views import ChunkRange, read_chunks

log = logging.getLogger(__name__)
MOST_METRICS = 3
MOST_CHUNKS = 30
CHUNKS_BEFORE = 10
"""How many chunks before the first in trouble are drawn, as far as `MOST_CHUNKS` allows."""


def draw_alert(engine: Engine, alert: Alert) -> bytes | None:
    """Return the metrics of an incident's chunks, and of some before them, as a PNG; None where there is none."""
    if alert.incident is None:
        return None
    try:
        with translated():
            version = registry.load(engine, alert.model, alert.version)
            length = LONGEST_CHUNK[version.spec.period]
            first = max(alert.since - CHUNKS_BEFORE * length, alert.last - (MOST_CHUNKS - 1) * length)
            with engine.connect() as connection:
                clock = clock_of(connection, version, alert.last)
                chunks = read_chunks(
                    connection, version, clock, ChunkRange(first, alert.last + length, segments=(None,))
                )
    except DriftlineError as error:
        log.warning("The message about incident %d has no picture: %s", alert.incident, error)
        return None
    metrics = [metric for metric in version.spec.metrics[:MOST_METRICS] if _has_values(chunks, metric)]
    if not metrics:
        return None
    from driftline.report.plots import performance_figure, png  # noqa: PLC0415  (matplotlib is slow to import)

    try:
        return png(performance_figure(f"{alert.model}, version {alert.version}", metrics, chunks))
    except Exception:  # a fault of a drawing keeps no alert from being sent
        log.exception("The chart for the message about incident %d could not be drawn.", alert.incident)
        return None


def _has_values(chunks: list[ChunkView], metric: str) -> bool:
    kinds = (ResultKind.REALIZED, ResultKind.ESTIMATED)
    results = (chunk.result(kind, metric) for chunk in chunks for kind in kinds)
    return any(result is not None and result.value is not None for result in results)
