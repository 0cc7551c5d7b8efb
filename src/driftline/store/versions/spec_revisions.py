"""The spec revisions of a version: each is a spec and what it fits on the version's reference."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from driftline.clock import naive_utc
from driftline.engine.evaluation.reference import FittedReference
from driftline.engine.minimum_rows import DEFAULTS
from driftline.engine.spec import Spec
from driftline.errors import Conflict
from driftline.store.tables import spec_revisions
from driftline.store.version_key import VersionKey


def add_revision(connection: Connection, key: VersionKey, spec: Spec, fitted: FittedReference, now: datetime) -> None:
    """Store the next spec revision of a version."""
    row = {
        "model_number": key.model_number,
        "model_version": key.version,
        "revision": newest_revision(connection, key) + 1,
        "spec": spec.model_dump_json(),
        "fitted": fitted.to_json(),
        "created_at": naive_utc(now),
    }
    connection.execute(insert(spec_revisions).values(row))


def newest_revision(connection: Connection, key: VersionKey) -> int:
    """Return the number of a version's newest spec revision; 0 without one."""
    newest = select(func.coalesce(func.max(spec_revisions.c.revision), 0)).where(key.rows_of(spec_revisions))
    return int(connection.execute(newest).scalar_one())


def newest_spec(connection: Connection, key: VersionKey) -> Spec:
    """Return the spec of a version's newest revision."""
    specs = select(spec_revisions.c.spec).where(key.rows_of(spec_revisions)).order_by(spec_revisions.c.revision.desc())
    return Spec.model_validate_json(connection.execute(specs.limit(1)).scalar_one())


def with_columns_of(present: Spec, spec: Spec) -> Spec:
    """Return a revised spec with its columns in the present order, in which rows are stored and hashed.

    It keeps the present minimum rows where it sets none.
    """
    columns = {column.name: column for column in spec.columns}
    if {(c.name, c.kind) for c in spec.columns} != {(c.name, c.kind) for c in present.columns} or (
        (spec.problem, spec.classes) != (present.problem, present.classes)
    ):
        raise Conflict(
            "A spec revision keeps the model's problem, classes and columns; register others as a new version."
        )
    defaults = {} if spec.model_fields_set & DEFAULTS.keys() else {name: getattr(present, name) for name in DEFAULTS}
    return spec.model_copy(update={"columns": tuple(columns[name] for name in present.features), **defaults})
