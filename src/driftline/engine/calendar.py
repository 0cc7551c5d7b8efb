"""A spec's calendar: where its chunks lie, when they close, and when their labels are due. No I/O here."""

from datetime import datetime, timedelta

from driftline.engine.chunking.chunks import Chunk, chunk_of
from driftline.engine.spec import Period, Spec
from driftline.engine.verdicts.track_record import RECORD_WINDOW

LONGEST_CHUNK: dict[Period, timedelta] = {
    Period.HOUR: timedelta(hours=1),
    Period.DAY: timedelta(hours=25),
    Period.WEEK: timedelta(days=7, hours=1),
    Period.MONTH: timedelta(days=31, hours=1),
    Period.QUARTER: timedelta(days=92, hours=1),
}
"""The longest that a chunk of each period can be; clock changes add an hour."""
MEAN_CHUNK: dict[Period, timedelta] = {
    Period.HOUR: timedelta(hours=1),
    Period.DAY: timedelta(days=1),
    Period.WEEK: timedelta(days=7),
    Period.MONTH: timedelta(days=365.25 / 12),
    Period.QUARTER: timedelta(days=365.25 / 4),
}
"""The mean length of a chunk of each period."""


def chunk_at(spec: Spec, instant: datetime) -> Chunk:
    """Return the chunk of the spec's calendar that contains an aware instant."""
    return chunk_of(instant, spec.period, spec.zone)


def closing_time(spec: Spec, chunk: Chunk) -> datetime:
    """Return the instant of the model's clock at which a chunk closes: its end plus the allowed lateness."""
    return chunk.end + spec.allowed_lateness


def label_deadline(spec: Spec, chunk: Chunk) -> datetime:
    """Return the instant of the model's clock at which a chunk's labels are due: its end plus the label delay."""
    return chunk.end + spec.label_delay


def next_due(spec: Spec, chunk: Chunk, clock: datetime) -> datetime | None:
    """Return when a chunk must be computed again although nothing is written to it, or None if never."""
    return min((at for at in (closing_time(spec, chunk), label_deadline(spec, chunk)) if at > clock), default=None)


def verdict_reach(spec: Spec) -> timedelta:
    """Return how far back from a chunk its verdict depends on earlier chunks, and so how far a change has effects.

    Track records cover decided chunks, which precede the label delay; twice their number allows for chunks without
    rows. The reach depends on the spec alone, so the cost of a change does not grow with the history.
    """
    return spec.label_delay + spec.allowed_lateness + 2 * RECORD_WINDOW * LONGEST_CHUNK[spec.period]
