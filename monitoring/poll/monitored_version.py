"""A model version that the monitor polls: its newest spec revision and its clock."""

import logging
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from driftline.engine.spec import ModelClock
from driftline.errors import DriftlineError
from driftline.store.database import translated
from driftline.store.rows.predictions import BEFORE_ANY_DATA
from driftline.store.tables import spec_revisions
from driftline.store.version_key import VersionKey
from driftline.store.versions import registry

log = logging.getLogger(__name__)


def clock_of(connection: Connection, version: registry.Version, now: datetime) -> datetime:
    """Return the present time of a model's clock: the wall clock's, or the newest event time if the spec says so."""
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

    def refit_outdated(self, now: datetime) -> None:
        """Fit the reference again where its evidence follows earlier rules; once, at the first call.

        Where the reference cannot be read, the version is polled as it is, and the log says so.
        """
        if self._loaded is not None:
            return
        with translated():
            self._loaded = registry.load(self._engine, self.name, self.key.version)
        if self._loaded.fitted.is_current:
            return
        try:
            if registry.refit(self._engine, self._loaded, now):
                log.info("%s version %d: fitted to its reference again, by new rules.", self.name, self.key.version)
        except DriftlineError as error:
            log.warning(
                "%s version %d alerts by earlier rules, which may exceed the alert budget: it cannot be fitted to its "
                "reference again (%s). Every poll with new rows tries again.",
                self.name,
                self.key.version,
                error.message,
            )

    def clock(self, connection: Connection, now: datetime) -> datetime:
        """Return the present time of the model's clock."""
        return clock_of(connection, self.load(connection), now)
