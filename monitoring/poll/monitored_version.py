"""A model version that the monitor polls: its newest spec revision and its clock."""

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, func, select

from driftline.engine.spec import ModelClock
from driftline.store import registry
from driftline.store.tables import spec_revisions
from driftline.store.version_key import VersionKey

BEFORE_ANY_DATA = datetime(1970, 1, 1, tzinfo=UTC)


def clock_of(connection: Connection, version: registry.Version, now: datetime) -> datetime:
    """Return a model's present instant: the wall time, or the newest event if the spec says so."""
    if version.spec.clock is ModelClock.WALL:
        return now
    return version.store.newest(connection) or BEFORE_ANY_DATA


class MonitoredVersion:
    """A model version that is loaded on first use, and loaded again after its spec was revised."""

    def __init__(self, engine: Engine, name: str, key: VersionKey) -> None:
        """Store the model's name and the version's key; nothing is read yet."""
        self.name, self.key = name, key
        self._engine = engine
        self._loaded: registry.Version | None = None

    def load(self, connection: Connection) -> registry.Version:
        """Return the version with its newest spec revision, as committed at the time of the call."""
        newest = select(func.max(spec_revisions.c.revision)).where(self.key.rows_of(spec_revisions))
        if self._loaded is None or self._loaded.spec_revision != connection.execute(newest).scalar():
            self._loaded = registry.load(self._engine, self.name, self.key.version)
        return self._loaded

    def clock(self, connection: Connection, now: datetime) -> datetime:
        """Return the model's present instant."""
        return clock_of(connection, self.load(connection), now)
