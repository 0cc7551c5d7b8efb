"""The registered models, read without the fitted references: lists of a thousand models take few statements."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    ScalarSelect,
    Select,
    Table,
    and_,
    case,
    func,
    select,
)

from driftline.clock import aware_utc
from driftline.engine.results import State
from driftline.engine.spec import Spec
from driftline.store.model_numbers import model_number
from driftline.store.tables import model_versions, models, spec_revisions, verdicts
from driftline.store.versions.model_layout import ModelLayout
from driftline.store.versions.registry import READY
from driftline.store.versions.roles import Role, Roles, roles_of


@dataclass(frozen=True, slots=True)
class ModelSummary:
    """A model in a list: its ready versions, the one that is used, and the states of that one's newest chunks.

    `closed_chunk` and `closed_state` are of its newest closed chunk. `version` is None for a model without a ready
    version; then the fields after it are None too, but for the owner.
    """

    number: int
    name: str
    versions: tuple[int, ...]
    registered_at: datetime
    version: int | None = None
    spec: Mapping[str, Any] | None = field(default=None, repr=False)
    problem: str | None = None
    period: str | None = None
    features: int | None = None
    newest_chunk: datetime | None = None
    state: State | None = None
    closed_chunk: datetime | None = None
    closed_state: State | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class SpecRevision:
    """A revision of a version's spec."""

    revision: int
    spec: Spec
    created_at: datetime


@dataclass(frozen=True, slots=True)
class VersionSummary:
    """A version of a model with its role and all its spec revisions, oldest first."""

    version: int
    state: str
    role: Role | None
    created_at: datetime
    reference_uri: str
    reference_hash: str
    layout: ModelLayout
    details: Any
    revisions: tuple[SpecRevision, ...]

    @property
    def spec(self) -> Spec:
        """The newest spec."""
        return self.revisions[-1].spec


def list_models(connection: Connection) -> list[ModelSummary]:
    """List all models in the order of their names."""
    ready: dict[int, list[int]] = {}
    statement = select(model_versions.c.model_number, model_versions.c.version).where(model_versions.c.state == READY)
    for number, version in connection.execute(statement.order_by(model_versions.c.version)):
        ready.setdefault(number, []).append(version)
    registered = select(models.c.number, models.c.name, models.c.created_at, models.c.owner).order_by(models.c.name)
    newest = {row["number"]: row for row in connection.execute(_used_versions()).mappings()}
    return [
        _summary(number, name, tuple(ready.get(number, ())), aware_utc(created_at), owner, newest.get(number))
        for number, name, created_at, owner in connection.execute(registered)
    ]


def _used_versions() -> Select[Any]:
    """Select the version of each model that is used, with its newest spec and the verdicts of its newest chunks."""
    champion = case((model_versions.c.version == models.c.champion, model_versions.c.version))
    default_version = func.coalesce(func.max(champion), func.max(model_versions.c.version)).label("version")
    current = (
        select(model_versions.c.model_number, default_version)
        .join(models, models.c.number == model_versions.c.model_number)
        .where(model_versions.c.state == READY)
        .group_by(model_versions.c.model_number)
        .subquery()
    )

    def is_version(table: Table) -> ColumnElement[bool]:
        same_model = table.c.model_number == current.c.model_number
        return and_(same_model, table.c.model_version == current.c.version)

    def newest_value(column: Column[Any], *conditions: ColumnElement[bool]) -> ScalarSelect[Any]:
        newest_of = select(column).where(is_version(verdicts), verdicts.c.current, *conditions)
        return newest_of.order_by(verdicts.c.chunk_start.desc()).limit(1).scalar_subquery()

    spec = select(spec_revisions.c.spec).where(is_version(spec_revisions)).order_by(spec_revisions.c.revision.desc())
    return select(
        current.c.model_number.label("number"),
        current.c.version,
        spec.limit(1).scalar_subquery().label("spec"),
        newest_value(verdicts.c.state).label("state"),
        newest_value(verdicts.c.chunk_start).label("newest_chunk"),
        newest_value(verdicts.c.state, verdicts.c.closed).label("closed_state"),
        newest_value(verdicts.c.chunk_start, verdicts.c.closed).label("closed_chunk"),
    )


def _summary(
    number: int,
    name: str,
    versions: tuple[int, ...],
    registered_at: datetime,
    owner: str | None,
    newest: RowMapping | None,
) -> ModelSummary:
    """Return the summary of a model; `newest` is the row of its default version, None without a ready one."""
    if newest is None:
        return ModelSummary(number, name, versions, registered_at, owner=owner)
    spec = json.loads(newest["spec"])
    return ModelSummary(
        number=number,
        name=name,
        versions=versions,
        registered_at=registered_at,
        version=newest["version"],
        spec=spec,
        problem=spec["problem"],
        period=spec["period"],
        features=len(spec["columns"]),
        newest_chunk=newest["newest_chunk"] and aware_utc(newest["newest_chunk"]),
        state=newest["state"] and State(newest["state"]),
        closed_chunk=newest["closed_chunk"] and aware_utc(newest["closed_chunk"]),
        closed_state=newest["closed_state"] and State(newest["closed_state"]),
        owner=owner,
    )


def versions_of(connection: Connection, name: str) -> list[VersionSummary]:
    """Return all versions of a model, retired ones too, oldest first.

    Raises:
        NotFound: no such model.
    """
    number = model_number(connection, name)
    revisions: dict[int, list[SpecRevision]] = {}
    columns = spec_revisions.c
    statement = select(columns.model_version, columns.revision, columns.spec, columns.created_at)
    for row in connection.execute(
        statement.where(columns.model_number == number).order_by(columns.revision)
    ).mappings():
        spec = Spec.model_validate_json(row["spec"])
        revision = SpecRevision(row["revision"], spec, aware_utc(row["created_at"]))
        revisions.setdefault(row["model_version"], []).append(revision)
    roles = roles_of(connection, name)
    stored = select(model_versions).where(model_versions.c.model_number == number).order_by(model_versions.c.version)
    return [_version(row, roles, tuple(revisions[row["version"]])) for row in connection.execute(stored).mappings()]


def _version(row: RowMapping, roles: Roles, revisions: tuple[SpecRevision, ...]) -> VersionSummary:
    """Return the summary of the version that a row describes."""
    layout = row["layout"]
    return VersionSummary(
        version=row["version"],
        state=row["state"],
        role=roles.of(row["version"]),
        created_at=aware_utc(row["created_at"]),
        reference_uri=row["reference_uri"],
        reference_hash=row["reference_hash"],
        layout=ModelLayout.from_json(layout) if layout else ModelLayout.canonical(revisions[-1].spec),
        details=json.loads(row["details"]),
        revisions=revisions,
    )
