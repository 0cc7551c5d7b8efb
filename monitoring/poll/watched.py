"""A model version under watch: its spec as it is now, its clock, and its place in the calendar."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, func, select

from driftline.engine.chunks import Chunk, chunk_of
from driftline.engine.spec import ModelClock, Period, Spec
from driftline.engine.verdicts.track_record import RECORD_WINDOW
from driftline.store import registry
from driftline.store.tables import model_versions, spec_revisions

BEFORE_ANY_DATA = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST: dict[Period, timedelta] = {
    Period.HOUR: timedelta(hours=1),
    Period.DAY: timedelta(hours=25),
    Period.WEEK: timedelta(days=7, hours=1),
    Period.MONTH: timedelta(days=31, hours=1),
    Period.QUARTER: timedelta(days=92, hours=1),
}
"""How long a chunk of each period can be."""


@dataclass(frozen=True, slots=True)
class VersionKey:
    """Names a model version in every table."""

    model_number: int
    version: int


def chunk_at(spec: Spec, instant: datetime) -> Chunk:
    """Give the chunk of the spec's calendar that holds an aware instant."""
    return chunk_of(instant, spec.period, spec.zone)


def closing(spec: Spec, chunk: Chunk) -> datetime:
    """Give the instant of the model's clock at which a chunk closes: its end plus the allowed lateness."""
    return chunk.end + spec.allowed_lateness


def label_deadline(spec: Spec, chunk: Chunk) -> datetime:
    """Give the instant of the model's clock at which a chunk's labels are due: its end plus the label delay."""
    return chunk.end + spec.label_delay


def next_due(spec: Spec, chunk: Chunk, clock: datetime) -> datetime | None:
    """Give when a chunk must be looked at again though nothing is written to it, or None."""
    return min((at for at in (closing(spec, chunk), label_deadline(spec, chunk)) if at > clock), default=None)


def reach(spec: Spec) -> timedelta:
    """Give how far back a verdict reads, and so how far on a change must be carried.

    Track records are kept over settled chunks, which lie behind the label delay; twice their number leaves room for
    chunks without rows. It is a property of the spec, so the cost of a change never follows the history.
    """
    return spec.label_delay + spec.allowed_lateness + 2 * RECORD_WINDOW * LONGEST[spec.period]


def clock_of(connection: Connection, version: registry.Version, now: datetime) -> datetime:
    """Give a model's present instant: the wall's, or the newest event of its data."""
    if version.spec.clock is ModelClock.WALL:
        return now
    return version.store.newest(connection) or BEFORE_ANY_DATA


class Watched:
    """A model version that is loaded when first needed, and again when its spec was revised."""

    def __init__(self, engine: Engine, name: str, key: VersionKey) -> None:
        """Take what names the version; nothing is read yet."""
        self.name, self.key = name, key
        self._engine = engine
        self._loaded: registry.Version | None = None

    def version(self, connection: Connection) -> registry.Version:
        """Give the version under its newest spec revision, as committed when this is called."""
        newest = select(func.max(spec_revisions.c.revision)).where(
            spec_revisions.c.model_number == self.key.model_number, spec_revisions.c.model_version == self.key.version
        )
        if self._loaded is None or self._loaded.spec_revision != connection.execute(newest).scalar():
            self._loaded = registry.load(self._engine, self.name, self.key.version)
        return self._loaded

    def clock(self, connection: Connection, now: datetime) -> datetime:
        """Give the model's present instant."""
        return clock_of(connection, self.version(connection), now)

    def lock(self, connection: Connection) -> None:
        """Let one writer at a time store results of this version, so that each sees its neighbours' last word."""
        mine = (model_versions.c.model_number == self.key.model_number) & (model_versions.c.version == self.key.version)
        connection.execute(select(model_versions.c.version).where(mine).with_for_update())
