"""The registered models of a database: what the command line, the HTTP API and Python do with them."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any, Self

import pandas as pd
from sqlalchemy import Engine, func, select

from driftline.backtesting.backtest import open_request
from driftline.clock import Clock, utc_now
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput
from driftline.models.proposal import Proposal, propose_model
from driftline.monitor import FittedMonitor
from driftline.objects import ObjectStore, open_store
from driftline.settings import LocalSettings
from driftline.spec_input import SpecLike, fields_of, spec_of
from driftline.store import migrate, removal
from driftline.store.archive.retention import Retention, retention_of, set_retention
from driftline.store.database import translated
from driftline.store.model_numbers import model_number
from driftline.store.polling import schedule_store
from driftline.store.polling.schedules import Schedule
from driftline.store.tables import pending_chunks
from driftline.store.versions import model_list, registry, roles
from driftline.store.versions.model_list import ModelSummary, VersionSummary
from driftline.store.versions.owners import owner_of, set_owner
from driftline.store.versions.retrainings import Retraining, newest_retrainings, retrainings_of
from driftline.store.versions.roles import Author, RoleChange, Roles

FIXED_FIELDS = ("problem", "classes", "columns")
"""The fields of a spec that a revision cannot change: they are those of the version's reference."""


def propose(
    data: pd.DataFrame | str | PathLike[str], name: str, *, spec: SpecLike | None = None, **options: Any
) -> Proposal:
    """Infer a model from its reference and fit it; nothing is stored.

    `data` is a frame, or the path of a CSV, Parquet or Arrow file; `options` are those of `driftline.backtest`
    (`timestamp`, `label`, `score`, ...). Without `reference_until` all rows are the reference.

    Raises:
        InvalidInput: with every fault of the options; or the rows do not fit them, or the reference is too short.
    """
    source, request = open_request(data, spec, **options)
    return propose_model(source, request, name)


@dataclass(frozen=True, slots=True)
class Revised:
    """A new spec revision: its number, and how many chunks wait to be computed under it."""

    version: int
    revision: int
    pending_chunks: int


class RegisteredModels:
    """Registers, lists, revises and removes the models of one database."""

    def __init__(self, engine: Engine, objects: ObjectStore, clock: Clock = utc_now) -> None:
        """Store the engine, the object store of references and the wall's clock; nothing is connected."""
        self.engine, self.objects, self._clock = engine, objects, clock

    @classmethod
    def from_environment(cls) -> Self:
        """Return the models of the database and the object store that the environment names.

        Raises:
            NotMigrated: the tables are of another version. DatabaseUnavailable, DatabaseRefused: no connection.
        """
        return cls(migrate.current_engine(), open_store(LocalSettings().objects_address))

    def register(self, proposal: Proposal) -> int:
        """Register a proposal as the newest version of its model and return its number; the same again is the same.

        Raises:
            StoreRefused, StoreUnavailable: the reference cannot be stored.
        """
        return registry.register(self.engine, proposal.candidate, self.objects, self._clock())

    def summaries(self) -> list[ModelSummary]:
        """List all models in the order of their names."""
        with translated(), self.engine.connect() as connection:
            return model_list.list_models(connection)

    def versions(self, name: str) -> list[VersionSummary]:
        """Return all versions of a model, retired ones too, oldest first.

        Raises:
            NotFound: no such model.
        """
        with translated(), self.engine.connect() as connection:
            return model_list.versions_of(connection, name)

    def fitted(self, name: str, version: int) -> FittedMonitor:
        """Return a version's spec with its reference, fitted; it tells which changes are visible.

        Raises:
            NotFound: no such model or version.
        """
        with translated():
            loaded = registry.load(self.engine, name, version)
        return FittedMonitor(loaded.spec, loaded.fitted)

    def revise(self, name: str, changes: Mapping[str, Any], version: int | None = None) -> Revised:
        """Add a spec revision to a version, by default the one that is used; its chunks wait to be computed again.

        `changes` are fields of the spec, such as `label_delay`, `period`, `metrics` or `alert_budget`. Results under
        the old revision stay readable.

        Raises:
            NotFound: no such model or version. Conflict: the columns, classes or the problem differ.
            InvalidInput: a field is not valid, or the reference is too short for the period.
        """
        with translated():
            present = registry.load(self.engine, name, version)
        spec = revised_spec(present.spec, changes)
        revision = registry.revise_spec(self.engine, name, present.number, spec, self._clock())
        of_version = present.key.rows_of(pending_chunks)
        with translated(), self.engine.connect() as connection:
            waiting = connection.execute(
                select(func.count()).select_from(pending_chunks).where(of_version)
            ).scalar_one()
        return Revised(present.number, revision, int(waiting))

    def retire(self, name: str, version: int) -> None:
        """Retire a version: it accepts no further rows and is no longer polled; its results stay readable.

        Raises:
            NotFound: no such model, or no such version that is ready. Conflict: it is the champion of its model.
        """
        removal.retire(self.engine, name, version)

    def roles(self, name: str) -> Roles:
        """Return which version of a model is its champion, which its challenger, and which is used.

        Raises:
            NotFound: no such model.
        """
        return roles.read_roles(self.engine, name)[0]

    def role_changes(self, name: str) -> list[RoleChange]:
        """Return all changes of the roles of a model's versions, oldest first.

        Raises:
            NotFound: no such model.
        """
        return roles.read_roles(self.engine, name)[1]

    def retrainings(self, name: str) -> list[Retraining]:
        """Return the retrainings of a model, oldest first.

        Raises:
            NotFound: no such model.
        """
        with translated(), self.engine.connect() as connection:
            return retrainings_of(connection, name)

    def newest_retrainings(self, name: str, most: int, before: int | None = None) -> list[Retraining]:
        """Return at most so many retrainings of a model, the newest first; with `before`, those with lower positions.

        Raises:
            NotFound: no such model.
        """
        with translated(), self.engine.connect() as connection:
            return newest_retrainings(connection, name, most, before)

    def promote(self, name: str, version: int, reason: str, by: str) -> bool:
        """Make a version the champion of its model, which is used from now on; return whether it was not before.

        Raises:
            NotFound: no such model, or no such version that is ready. InvalidInput: the reason is missing or too long.
        """
        return roles.promote(self.engine, name, version, Author(by, self._clock(), reason))

    def rollback(self, name: str, reason: str, by: str) -> int:
        """Return to the version that was used before the champion, and return its number.

        Raises:
            NotFound: no such model. Conflict: no earlier champion is ready.
            InvalidInput: the reason is missing or too long.
        """
        return roles.rollback(self.engine, name, Author(by, self._clock(), reason))

    def retention(self, name: str) -> Retention:
        """Return after how many days the rows of a model are archived, and removed from the archive.

        Raises:
            NotFound: no such model.
        """
        return retention_of(self.engine, name)

    def set_retention(self, name: str, retention: Retention) -> None:
        """Set the retention of a model; the next archive run follows it.

        Raises:
            NotFound: no such model.
        """
        set_retention(self.engine, name, retention)

    def owner(self, name: str) -> str | None:
        """Return the owner of a model; None if it has none.

        Raises:
            NotFound: no such model.
        """
        with translated(), self.engine.connect() as connection:
            return owner_of(connection, model_number(connection, name))

    def set_owner(self, name: str, owner: str | None) -> None:
        """Set the owner of a model, or remove it with None.

        Raises:
            InvalidInput: the owner is not valid. NotFound: no such model.
        """
        set_owner(self.engine, name, owner)

    def schedule(self, name: str) -> Schedule | None:
        """Return when a model is polled; None where it is polled with all others.

        Raises:
            NotFound: no such model.
        """
        return schedule_store.schedule_of(self.engine, name)

    def set_schedule(self, name: str, schedule: Schedule | None) -> None:
        """Set the schedule of a model's polls; with None it is polled with all other models again.

        Raises:
            InvalidInput: the schedule has no polls. NotFound: no such model.
        """
        schedule_store.set_schedule(self.engine, name, schedule)

    def remove(self, name: str) -> int:
        """Remove a model with all that it stored, in objects too; return the number of rows deleted.

        Raises:
            NotFound: no such model.
        """
        return removal.remove(self.engine, name)


def revised_spec(present: Spec, changes: Mapping[str, Any]) -> Spec:
    """Return a spec with some fields changed; raise one InvalidInput with every fault."""
    refused = sorted(set(changes) & set(FIXED_FIELDS))
    if refused:
        raise InvalidInput(
            f"A revision keeps {', '.join(FIXED_FIELDS)} of the version, and {', '.join(refused)} cannot change; "
            "register the changed model as a new version."
        )
    return spec_of({**fields_of(present), **changes})
