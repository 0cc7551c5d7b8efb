"""Archive objects: which Parquet object has the rows of a version in a period, and in which state it is."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, or_, select

from driftline.clock import aware_utc, naive_utc
from driftline.errors import Conflict
from driftline.store.rows.removed_rows import BATCHES_AT_ONCE
from driftline.store.tables import archive_objects, ledger_slots
from driftline.store.version_key import VersionKey


class RowsRemoved(Conflict):
    """Rows were removed from the archive by the model's retention; their results stay, but cannot be computed again."""


class ObjectState(StrEnum):
    """The states of an archive object, in their order.

    An object is `writing` before it exists, and `stored` once readers use it. Then it is `replaced` by another one of
    the same rows and deleted, or `removing` and, once it is deleted, `removed`: its rows are gone.
    """

    WRITING = "writing"
    STORED = "stored"
    REPLACED = "replaced"
    REMOVING = "removing"
    REMOVED = "removed"

    @property
    def is_gone(self) -> bool:
        """Whether the object's rows were removed for good."""
        return self in (ObjectState.REMOVING, ObjectState.REMOVED)


READABLE_STATES = (ObjectState.STORED, ObjectState.REMOVING, ObjectState.REMOVED)
"""The states of the objects that stand for the rows of their period, also after these were removed; no two overlap."""


@dataclass(frozen=True, slots=True)
class ArchivedBatch:
    """The part of a batch in an object.

    `removed` is how many rows of the whole batch were removed when the object was written, `rows` how many the object
    has, and `first` and `last` are the positions that these lie between.
    """

    removed: int
    rows: int = 0
    first: int = 0
    last: int = -1


@dataclass(frozen=True, slots=True, eq=False)
class ArchiveObject:
    """A Parquet object with all rows of one version in one half-open period that were not removed."""

    number: int
    key: VersionKey
    start: datetime
    end: datetime
    state: ObjectState
    address: str
    rows: int
    batches: Mapping[int, ArchivedBatch]

    @classmethod
    def of(cls, row: RowMapping) -> "ArchiveObject":
        """Return the object that a row of the table describes."""
        return cls(
            row["number"],
            VersionKey(row["model_number"], row["model_version"]),
            aware_utc(row["period_start"]),
            aware_utc(row["period_end"]),
            ObjectState(row["state"]),
            row["address"],
            row["row_count"],
            {int(number): ArchivedBatch(*part) for number, part in json.loads(row["batches"]).items()},
        )


def batches_json(batches: Mapping[int, ArchivedBatch]) -> str:
    """Return the JSON of the column `batches`."""
    parts = {str(number): [part.removed, part.rows, part.first, part.last] for number, part in batches.items()}
    return json.dumps(parts, separators=(",", ":"))


def objects_of(
    connection: Connection, *conditions: ColumnElement[bool], states: Iterable[ObjectState] = READABLE_STATES
) -> list[ArchiveObject]:
    """Return the objects in some states, by version and period."""
    order = (archive_objects.c.model_number, archive_objects.c.model_version, archive_objects.c.period_start)
    statement = select(archive_objects).where(archive_objects.c.state.in_([*states]), *conditions).order_by(*order)
    return [ArchiveObject.of(row) for row in connection.execute(statement).mappings()]


def objects_between(connection: Connection, key: VersionKey, start: datetime, end: datetime) -> list[ArchiveObject]:
    """Return the objects of a version whose period overlaps a half-open span."""
    return objects_of(connection, key.rows_of(archive_objects), overlaps(start, end))


def objects_of_batches(connection: Connection, model_number: int, numbers: Sequence[int]) -> list[ArchiveObject]:
    """Return the objects that have rows of some batches of a model; the spans of the batches are those they touched."""
    slots = ledger_slots.c
    spans: dict[int, tuple[datetime, datetime]] = {}
    for first in range(0, len(numbers), BATCHES_AT_ONCE):
        of_batches = slots.batch_number.in_(map(int, numbers[first : first + BATCHES_AT_ONCE]))
        statement = select(slots.model_version, func.min(slots.slot), func.max(slots.slot)).where(of_batches)
        for version, since, until in connection.execute(statement.group_by(slots.model_version)):
            span = spans.get(version, (since, until))
            spans[version] = min(span[0], since), max(span[1], until)
    if not spans:
        return []
    of_versions = or_(
        *(
            VersionKey(model_number, version).rows_of(archive_objects)
            & (archive_objects.c.period_start <= until)
            & (archive_objects.c.period_end > since)
            for version, (since, until) in spans.items()
        )
    )
    batch_numbers = set(map(int, numbers))
    return [
        archive_object
        for archive_object in objects_of(connection, of_versions)
        if batch_numbers & archive_object.batches.keys()
    ]


def overlaps(start: datetime, end: datetime) -> ColumnElement[bool]:
    """Return the condition for objects whose period overlaps a half-open span."""
    condition: Any = (archive_objects.c.period_start < naive_utc(end)) & (
        archive_objects.c.period_end > naive_utc(start)
    )
    return condition  # type: ignore[no-any-return]
