"""The archive run: everything that is due, one model after another; killed at any point, the next run continues."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import Engine, func, select

from driftline.clock import Clock, utc_now
from driftline.errors import Conflict, DriftlineError, Unavailable
from driftline.objects import ObjectStore, open_store
from driftline.settings import LocalSettings
from driftline.store import migrate
from driftline.store.archive.plan import ArchivePlan, models_to_archive, plan_of
from driftline.store.archive.removal import begin_removal, delete_archived_blobs, delete_leftovers
from driftline.store.archive.writing import PeriodWriter, WrittenPeriod
from driftline.store.database import translated
from driftline.store.rows.archived.archive_objects import ArchiveObject, ObjectState, objects_of
from driftline.store.tables import archive_objects

log = logging.getLogger(__name__)


class ArchiveRunning(Conflict):
    """Another archive run is working on this database; wait until it has ended."""


@dataclass
class ArchiveSummary:
    """What an archive run did: the objects it wrote and removed, the blobs it deleted, and why periods failed."""

    written: list[WrittenPeriod] = field(default_factory=list)
    removed: int = 0
    blobs: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Archive:
    """The archive of a database: new objects are written to `objects`; existing ones stay at their addresses."""

    engine: Engine
    objects: ObjectStore
    clock: Clock = utc_now

    @classmethod
    def from_environment(cls) -> Self:
        """Return the archive of the database and the object store that the environment names.

        Raises:
            NotMigrated: the tables are of another version. DatabaseUnavailable, DatabaseRefused: no connection.
        """
        return cls(migrate.current_engine(), open_store(LocalSettings().objects_address))

    def plans(self, name: str | None = None) -> list[ArchivePlan]:
        """Return what a run would do now, for one model or for all.

        Raises:
            NotFound: no model has that name.
        """
        with translated(), self.engine.connect() as connection:
            return [plan_of(connection, model) for model in models_to_archive(connection, name, self.clock())]

    def stored(self, name: str | None = None) -> list[tuple[str, ArchiveObject]]:
        """Return the objects that readers read now, each with the name of its model, of one model or of all.

        Raises:
            NotFound: no model has that name.
        """
        with translated(), self.engine.connect() as connection:
            return [
                (model.name, stored)
                for model in models_to_archive(connection, name, self.clock())
                for stored in objects_of(
                    connection, archive_objects.c.model_number == model.number, states=[ObjectState.STORED]
                )
            ]

    def run(self, name: str | None = None) -> ArchiveSummary:
        """Archive and remove what is due, for one model or for all; a period that fails does not stop the others.

        Raises:
            ArchiveRunning: another run is working. NotFound: no model has that name.
            Unavailable: the database or the object store does not answer; what was done so far stays done.
        """
        summary = ArchiveSummary()
        with exclusive_run(self.engine):
            delete_leftovers(self.engine)
            for plan in self.plans(name):
                self._carry_out(plan, summary)
        return summary

    def _carry_out(self, plan: ArchivePlan, summary: ArchiveSummary) -> None:
        """Write the periods of a model, delete the blobs of archived rows, and then the replaced objects."""
        model = plan.model
        begin_removal(self.engine, plan.objects_to_remove, self.clock())
        summary.removed += len(plan.objects_to_remove)
        for key, period in plan.periods:
            writer = PeriodWriter(self.engine, self.objects, model.name, key, model.specs[key.version], period)
            try:
                summary.written.append(writer.write(self.clock()))
            except Unavailable:
                raise
            except DriftlineError as error:
                log.warning("%s version %d: %s", model.name, key.version, error)
                start = period.start.isoformat()
                summary.failures.append(f"{model.name} version {key.version}, {start}: {error.message}")
        summary.blobs += delete_archived_blobs(self.engine, model.number)
        delete_leftovers(self.engine, model.number)


@contextmanager
def exclusive_run(engine: Engine) -> Iterator[None]:
    """Hold the database's lock of archive runs; the server releases it when the connection ends, even by a kill."""
    name = f"driftline archive {engine.url.database}"[:64]
    with translated(), engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.execute(select(func.get_lock(name, 0))).scalar() != 1:
            raise ArchiveRunning
        try:
            yield
        finally:
            connection.execute(select(func.release_lock(name)))
