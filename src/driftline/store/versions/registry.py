"""Registers models, their versions and spec revisions, with frozen references."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    RowMapping,
    Select,
    Table,
    func,
    insert,
    select,
    update,
)

from driftline.clock import aware_utc, naive_utc
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.minimum_rows import lowered_minimum
from driftline.engine.performance.scores import require_probabilities
from driftline.engine.results import Result
from driftline.engine.spec import Spec
from driftline.errors import NotFound
from driftline.objects import ObjectStore
from driftline.store.database import in_transaction
from driftline.store.model_numbers import ensure_model, lock_model, model_number
from driftline.store.polling import pending_chunks
from driftline.store.rows.predictions import PredictionStore
from driftline.store.tables import (
    model_versions,
    models,
    spec_revisions,
)
from driftline.store.version_key import VersionKey
from driftline.store.versions.model_layout import ModelLayout
from driftline.store.versions.owners import require_owner, write_owner
from driftline.store.versions.references import read_reference, reference_key, require_long_enough
from driftline.store.versions.spec_revisions import add_revision, newest_revision, newest_spec, with_columns_of
from driftline.store.versions.storable_names import require_storable

READY, CREATING, RETIRED = "ready", "creating", "retired"
_CONTENT = (model_versions, spec_revisions.c.revision, spec_revisions.c.spec, spec_revisions.c.fitted, models.c.owner)


@dataclass(frozen=True, slots=True)
class Version:
    """A ready version of a model: its current spec, its reference as fitted, and where its files are.

    `owner` is the model's; None if it has none.
    """

    model_number: int
    name: str
    number: int
    spec_revision: int
    spec: Spec
    fitted: FittedReference
    artifact_uri: str | None
    reference_uri: str
    reference_hash: str
    details: Mapping[str, Any]
    created_at: datetime
    stored_layout: ModelLayout | None = None
    training_hash: str = ""
    owner: str | None = None

    @property
    def key(self) -> VersionKey:
        """The numbers that rows of the version have in all tables."""
        return VersionKey(self.model_number, self.number)

    @property
    def layout(self) -> ModelLayout:
        """Which of the user's columns is which; the engine's own names where the model was registered with those."""
        return self.stored_layout or ModelLayout.canonical(self.spec)

    def present(self, results: Iterable[Result]) -> tuple[Result, ...]:
        """Return the results that are not about outputs which the model does not have."""
        absent = self.layout.absent(self.spec) if self.stored_layout else frozenset()
        return tuple(result for result in results if result.subject not in absent)

    @property
    def store(self) -> PredictionStore:
        """The store of the model's predictions."""
        return PredictionStore(self.model_number, self.spec)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version to register.

    `training_hash` names the data and configuration it was trained with: the same again is the same version.
    `reference` is the scored and labelled reference window, with the columns of
    `driftline.engine.evaluation.reference.fit_reference`. `layout` says which of the user's columns is which; None is
    the engine's own names. `fitted` is what `spec` fits on the reference, where that is known already. `owner` is the
    model's from now on; None leaves it as it is.
    """

    name: str
    spec: Spec
    training_hash: str
    reference: pd.DataFrame
    artifact_uri: str | None
    details: Mapping[str, Any]
    layout: ModelLayout | None = None
    fitted: FittedReference | None = None
    owner: str | None = None


def version_of_training(connection: Connection, name: str, training_hash: str) -> int | None:
    """Return the ready version that was trained with that data and configuration, or None."""
    statement = select(model_versions.c.version).where(
        model_versions.c.model_number == model_number(connection, name),
        model_versions.c.training_hash == training_hash,
        model_versions.c.state == READY,
    )
    return connection.execute(statement).scalar()


def register(engine: Engine, candidate: Candidate, objects: ObjectStore, now: datetime) -> int:
    """Register a version with its frozen reference and return its number; a second call returns the same number.

    The reference goes to `objects` as Parquet, is fitted, and its hash and fitted state are stored with the first spec
    revision. A candidate that is not fitted yet, and whose spec sets no minimum rows, requires fewer rows if the
    reference allows it (`driftline.engine.minimum_rows`). The version is `creating` until its reference is stored, then
    `ready`: after a failure the next call does all of it again.

    Raises:
        InvalidInput: a name is too long to be stored, the owner is not valid, the reference is shorter than 8 chunks,
            or its scores are not probabilities.
        StoreRefused, StoreUnavailable: the reference cannot be stored.
    """
    require_storable(candidate.name, candidate.spec)
    if candidate.owner is not None:
        candidate = replace(candidate, owner=require_owner(candidate.owner))
    if candidate.fitted is None:
        candidate = replace(candidate, spec=lowered_minimum(candidate.spec, candidate.reference))
    fitted = candidate.fitted or fit_reference(candidate.reference, candidate.spec)
    if candidate.layout is None:  # else the scores are as the layout's scale says
        require_probabilities(candidate.reference, candidate.spec.scores)
    require_long_enough(fitted, candidate.spec)
    number, version = in_transaction(engine, lambda connection: _begin(connection, candidate, fitted, objects, now))
    objects.put(reference_key(candidate.name, fitted.content_hash), candidate.reference.to_parquet(None, index=False))
    in_transaction(engine, lambda connection: _finish(connection, VersionKey(number, version)))
    return version


def _begin(
    connection: Connection, candidate: Candidate, fitted: FittedReference, objects: ObjectStore, now: datetime
) -> tuple[int, int]:
    """Insert the version as `creating` with its first spec revision, unless the same training is registered."""
    number = ensure_model(connection, candidate.name, now)
    if candidate.owner is not None:
        write_owner(connection, number, candidate.owner)
    stored = connection.execute(
        select(model_versions.c.version).where(
            model_versions.c.model_number == number, model_versions.c.training_hash == candidate.training_hash
        )
    ).scalar()
    if stored is not None:
        return number, int(stored)
    newest = select(func.coalesce(func.max(model_versions.c.version), 0)).where(model_versions.c.model_number == number)
    version = int(connection.execute(newest).scalar_one()) + 1
    row = {
        "model_number": number,
        "version": version,
        "state": CREATING,
        "artifact_uri": candidate.artifact_uri,
        "training_hash": candidate.training_hash,
        "reference_uri": objects.at(reference_key(candidate.name, fitted.content_hash)),
        "reference_hash": fitted.content_hash,
        "details": json.dumps(candidate.details),
        "layout": candidate.layout and candidate.layout.to_json(),
        "created_at": naive_utc(now),
    }
    connection.execute(insert(model_versions).values(row))
    add_revision(connection, VersionKey(number, version), candidate.spec, fitted, now)
    return number, version


def _finish(connection: Connection, key: VersionKey) -> None:
    """Make the version ready; its earlier predictions count from now on.

    The chunks are those of its newest spec, which is not the candidate's where a version was revised, retired and is
    registered again. The model stays locked meanwhile: neither a spec revision nor a batch misses the other.
    """
    lock_model(connection, key.model_number)
    is_version = (model_versions.c.model_number == key.model_number) & (model_versions.c.version == key.version)
    waiting = update(model_versions).where(is_version, model_versions.c.state != READY)
    if connection.execute(waiting.values(state=READY)).rowcount:
        pending_chunks.queue_all(connection, key, newest_spec(connection, key))


def revise_spec(engine: Engine, name: str, version: int, spec: Spec, now: datetime) -> int:
    """Add a spec revision to a version, fitted to its frozen reference, and queue every chunk of the version.

    Raises:
        NotFound: no such model or version. InvalidInput: the reference does not fit the spec.
        Conflict: the columns differ, which only a new model can have.
    """
    present = load(engine, name, version)
    spec = with_columns_of(present.spec, spec)
    if spec == present.spec:
        return present.spec_revision
    fitted = fit_reference(read_reference(present.reference_uri), spec)
    require_long_enough(fitted, spec)

    def revise(connection: Connection) -> None:
        ensure_model(connection, name, now)
        add_revision(connection, present.key, spec, fitted, now)
        pending_chunks.queue_all(connection, present.key, spec)

    in_transaction(engine, revise)
    return present.spec_revision + 1


def refit(engine: Engine, present: Version, now: datetime) -> bool:
    """Fit a version's frozen reference again where its evidence follows earlier rules, and queue every chunk of it.

    The spec stays the same, in a new revision. Return False where the version is current, or was revised meanwhile.

    Raises:
        ObjectMissing, StoreRefused, StoreUnavailable: the reference cannot be read.
    """
    if present.fitted.is_current:
        return False
    fitted = fit_reference(read_reference(present.reference_uri), present.spec)

    def store(connection: Connection) -> bool:
        ensure_model(connection, present.name, now)
        if newest_revision(connection, present.key) != present.spec_revision:
            return False
        add_revision(connection, present.key, present.spec, fitted, now)
        pending_chunks.queue_all(connection, present.key, present.spec)
        return True

    return in_transaction(engine, store)


def versions(connection: Connection, name: str | None = None) -> list[tuple[str, int]]:
    """List (model name, version) of the ready versions of all models or of one, oldest first."""
    statement = (
        select(models.c.name, model_versions.c.version)
        .join(model_versions, model_versions.c.model_number == models.c.number)
        .where(model_versions.c.state == READY)
        .order_by(models.c.number, model_versions.c.version)
    )
    if name is not None:
        statement = statement.where(models.c.name == name)
    return [(name, version) for name, version in connection.execute(statement)]


def load(engine: Engine, name: str, version: int | None = None) -> Version:
    """Load a version with its current spec and fitted reference: the one that is named, or else the champion.

    Without a champion that is the newest that is ready (`driftline.store.versions.roles`). A retired version is loaded
    where it is named: what it stored stays readable.

    Raises:
        NotFound: no such model, or no ready version; the error lists those there are.
    """
    with engine.connect() as connection:
        row = _row_of_version(connection, name, version, _CONTENT)
    return Version(
        model_number=row["model_number"],
        name=name,
        number=row["version"],
        spec_revision=row["revision"],
        spec=Spec.model_validate_json(row["spec"]),
        fitted=FittedReference.from_json(row["fitted"]),
        artifact_uri=row["artifact_uri"],
        reference_uri=row["reference_uri"],
        reference_hash=row["reference_hash"],
        details=json.loads(row["details"]),
        created_at=aware_utc(row["created_at"]),
        stored_layout=ModelLayout.from_json(row["layout"]) if row["layout"] else None,
        training_hash=row["training_hash"],
        owner=row["owner"],
    )


def add_details(engine: Engine, key: VersionKey, details: Mapping[str, Any]) -> None:
    """Add details to those of a version, such as where its training is recorded; the same names are replaced.

    A name whose value is None is removed.
    """

    def add(connection: Connection) -> None:
        is_version = (model_versions.c.model_number == key.model_number) & (model_versions.c.version == key.version)
        present = connection.execute(select(model_versions.c.details).where(is_version).with_for_update()).scalar_one()
        merged = {**json.loads(present), **details}
        kept = {name: value for name, value in merged.items() if value is not None or name not in details}
        connection.execute(update(model_versions).where(is_version).values(details=json.dumps(kept)))

    in_transaction(engine, add)


def version_key(connection: Connection, name: str, version: int | None = None) -> VersionKey:
    """Return the key of the version that `load` loads, without its spec and reference.

    Raises:
        NotFound: no such model, or no ready version; the error lists those there are.
    """
    row = _row_of_version(connection, name, version, (model_versions.c.model_number, model_versions.c.version))
    return VersionKey(row["model_number"], row["version"])


def _row_of_version(
    connection: Connection, name: str, version: int | None, columns: Sequence[Column[Any] | Table]
) -> RowMapping:
    model_number(connection, name)
    row = connection.execute(_version_statement(name, version, columns)).mappings().first()
    if row is None:
        ready = ", ".join(str(number) for _, number in versions(connection, name)) or "none"
        raise NotFound(f"Model {name!r} has no such ready version. Ready: {ready}. Train one first.")
    return row


def _version_statement(name: str, version: int | None, columns: Sequence[Column[Any] | Table]) -> Select[Any]:
    """Return the statement that selects one version, or without a number the champion or newest ready one."""
    same_version = (spec_revisions.c.model_number == model_versions.c.model_number) & (
        spec_revisions.c.model_version == model_versions.c.version
    )
    statement = (
        select(*columns)
        .select_from(model_versions)
        .join(models, models.c.number == model_versions.c.model_number)
        .join(spec_revisions, same_version)
        .where(models.c.name == name)
        .order_by(
            (model_versions.c.version == models.c.champion).desc(),
            model_versions.c.version.desc(),
            spec_revisions.c.revision.desc(),
        )
        .limit(1)
    )
    if version is None:
        return statement.where(model_versions.c.state == READY)
    return statement.where(model_versions.c.version == version, model_versions.c.state.in_((READY, RETIRED)))
