"""Plans an archive run: which periods of a model to write, and which objects to remove. Nothing is changed here."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select, text

from driftline.clock import aware_utc, naive_utc
from driftline.engine.calendar import chunk_at, closing_time, label_deadline
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.spec import ModelClock, Spec
from driftline.store.archive.retention import Retention
from driftline.store.model_numbers import model_number
from driftline.store.rows.archived.archive_objects import ArchiveObject, ObjectState, objects_of
from driftline.store.rows.encoding.prediction_batch import OUTPUTS
from driftline.store.rows.predictions import BEFORE_ANY_DATA, PredictionStore
from driftline.store.tables import (
    archive_objects,
    batch_data,
    ledger,
    ledger_slots,
    model_versions,
    models,
    removed_rows,
    spec_revisions,
)
from driftline.store.version_key import VersionKey
from driftline.store.versions.registry import READY, RETIRED


@dataclass(frozen=True, slots=True)
class ModelToArchive:
    """A model with a retention or archived rows: its versions' newest specs and clocks, by version."""

    number: int
    name: str
    retention: Retention
    specs: Mapping[int, Spec]
    clocks: Mapping[int, datetime]

    def is_due(self, version: int, chunk: Chunk, after: timedelta) -> bool:
        """Return whether a chunk has closed, and its labels were due, some time ago by the model's clock."""
        spec = self.specs[version]
        return self.clocks[version] >= max(closing_time(spec, chunk), label_deadline(spec, chunk)) + after


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob of MySQL: its batch and first position, and the versions and slots (quarters of an hour) of its rows."""

    batch: int
    first: int
    slots: frozenset[tuple[int, datetime]]


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """The due work of a model: periods to write as objects, and objects to remove."""

    model: ModelToArchive
    periods: tuple[tuple[VersionKey, Chunk], ...]
    objects_to_remove: tuple[ArchiveObject, ...]


def models_to_archive(connection: Connection, name: str | None, now: datetime) -> list[ModelToArchive]:
    """Return the models that have a retention or archived rows, or the named one if it does.

    Raises:
        NotFound: no model has that name.
    """
    statement = (
        select(models, spec_revisions.c.model_version, spec_revisions.c.spec)
        .join(model_versions, model_versions.c.model_number == models.c.number)
        .join(
            spec_revisions,
            (spec_revisions.c.model_number == models.c.number)
            & (spec_revisions.c.model_version == model_versions.c.version),
        )
        .where(
            model_versions.c.state.in_((READY, RETIRED)),
            or_(
                models.c.archive_after_days.is_not(None),
                models.c.number.in_(select(archive_objects.c.model_number)),
            ),
        )
        .order_by(models.c.number, spec_revisions.c.model_version, spec_revisions.c.revision)
    )
    if name is not None:
        statement = statement.where(models.c.number == model_number(connection, name))
    rows = connection.execute(statement).mappings().all()
    newest: dict[int, dict[int, str]] = defaultdict(dict)
    for row in rows:
        newest[row["number"]][row["model_version"]] = row["spec"]
    model_rows = {row["number"]: row for row in rows}
    return [
        _model_to_archive(
            connection,
            number,
            row["name"],
            Retention(row["archive_after_days"], row["remove_after_days"]),
            spec_texts,
            now,
        )
        for (number, row), spec_texts in zip(model_rows.items(), newest.values(), strict=True)
    ]


def _model_to_archive(
    connection: Connection, number: int, name: str, retention: Retention, spec_texts: Mapping[int, str], now: datetime
) -> ModelToArchive:
    """Return a model with the specs in `spec_texts`, which are JSON, by version."""
    specs = {version: Spec.model_validate_json(spec) for version, spec in spec_texts.items()}
    newest = PredictionStore(number, next(iter(specs.values()))).newest(connection) or BEFORE_ANY_DATA
    clocks = {version: now if spec.clock is ModelClock.WALL else newest for version, spec in specs.items()}
    return ModelToArchive(number, name, retention, specs, clocks)


def plan_of(connection: Connection, model: ModelToArchive) -> ArchivePlan:
    """Return the due work of a model.

    A period is written where its rows are due, or where rows of its object were corrected or deleted since: deleted
    content must not stay in the object. A period is a chunk, extended over the objects that it overlaps.
    """
    objects = objects_of(connection, archive_objects.c.model_number == model.number)
    to_remove = _objects_to_remove(model, objects)
    stored = [
        archive_object
        for archive_object in objects
        if archive_object.state is ObjectState.STORED and archive_object not in to_remove
    ]
    removed = [
        archive_object for archive_object in objects if archive_object.state.is_gone or archive_object in to_remove
    ]
    due = [*_due_chunks(connection, model, stored, removed), *_changed_periods(connection, model, stored)]
    return ArchivePlan(model, tuple(_merge_periods(due, stored)), tuple(to_remove))


def blobs_before(connection: Connection, model_number: int, before: datetime) -> list[StoredBlob]:
    """Return the blobs of a model whose last event lies before an instant."""
    part, slot = batch_data.c, ledger_slots.c
    statement = (
        select(part.batch_number, part.first_position, slot.model_version, slot.slot)
        .select_from(
            batch_data.join(ledger, ledger.c.number == part.batch_number).join(
                ledger_slots, slot.batch_number == part.batch_number
            )
        )
        .where(
            part.content == OUTPUTS,
            part.last_event < naive_utc(before),
            ledger.c.model_number == model_number,
            slot.slot <= part.last_event,
            func.timestampadd(text("MINUTE"), 15, slot.slot) > part.first_event,
        )
    )
    slots: dict[tuple[int, int], set[tuple[int, datetime]]] = defaultdict(set)
    for batch, first, version, start in connection.execute(statement):
        slots[batch, first].add((version, aware_utc(start)))
    return [StoredBlob(batch, first, frozenset(blob_slots)) for (batch, first), blob_slots in sorted(slots.items())]


def is_archived(blob: StoredBlob, objects: Iterable[ArchiveObject]) -> bool:
    """Return whether the objects together have all rows of a blob."""
    of_batch = [archive_object for archive_object in objects if blob.batch in archive_object.batches]
    return all(
        any(
            archive_object.key.version == version and archive_object.start <= slot < archive_object.end
            for archive_object in of_batch
        )
        for version, slot in blob.slots
    )


def _objects_to_remove(model: ModelToArchive, objects: Iterable[ArchiveObject]) -> list[ArchiveObject]:
    after = model.retention.remove_after
    if after is None:
        return []
    return [
        archive_object
        for archive_object in objects
        if archive_object.state is ObjectState.STORED
        and archive_object.key.version in model.specs
        and model.is_due(archive_object.key.version, Chunk(archive_object.start, archive_object.end), after)
    ]


def _due_chunks(
    connection: Connection, model: ModelToArchive, stored: Sequence[ArchiveObject], removed: Sequence[ArchiveObject]
) -> Iterator[tuple[VersionKey, Chunk]]:
    """Yield the due chunks with rows in blobs, except those that an object already has with all their batches.

    Rows that arrived after their period was removed from the archive stay in MySQL.
    """
    after = model.retention.archive_after
    if after is None:
        return
    batches: dict[tuple[int, Chunk], set[int]] = defaultdict(set)
    chunks: dict[tuple[int, datetime], Chunk] = {}
    for blob in blobs_before(connection, model.number, max(model.clocks.values()) - after):
        for version, slot in _slots_with_spec(blob, model):
            chunk = chunks.setdefault((version, slot), chunk_at(model.specs[version], slot))
            batches[version, chunk].add(blob.batch)
    for (version, chunk), numbers in batches.items():
        key = VersionKey(model.number, version)
        complete = [
            archive_object
            for archive_object in stored
            if archive_object.key == key and archive_object.start <= chunk.start and chunk.end <= archive_object.end
        ]
        has_all = any(numbers <= archive_object.batches.keys() for archive_object in complete)
        if (
            not has_all
            and not any(_overlap(archive_object, key, chunk) for archive_object in removed)
            and model.is_due(version, chunk, after)
        ):
            yield key, chunk


def _slots_with_spec(blob: StoredBlob, model: ModelToArchive) -> set[tuple[int, datetime]]:
    """Return the slots of a blob whose version the model has a spec of."""
    return {(version, slot) for version, slot in blob.slots if version in model.specs}


def _changed_periods(
    connection: Connection, model: ModelToArchive, stored: Iterable[ArchiveObject]
) -> Iterator[tuple[VersionKey, Chunk]]:
    """Yield the periods of objects of whose batches rows were removed since the object was written."""
    batch = removed_rows.c.batch_number
    counts = select(batch, func.count()).where(removed_rows.c.model_number == model.number).group_by(batch)
    removed = dict(map(tuple, connection.execute(counts)))
    for archive_object in stored:
        parts = ((number, part) for number, part in archive_object.batches.items() if part.rows)
        if archive_object.key.version in model.specs and any(
            removed.get(number, 0) != part.removed for number, part in parts
        ):
            yield archive_object.key, Chunk(archive_object.start, archive_object.end)


def _merge_periods(
    due: Iterable[tuple[VersionKey, Chunk]], stored: Sequence[ArchiveObject]
) -> Iterator[tuple[VersionKey, Chunk]]:
    """Yield disjoint periods that contain every due period, and every object that one of them overlaps."""
    by_version: dict[int, list[tuple[VersionKey, Chunk]]] = defaultdict(list)
    for key, chunk in due:
        for archive_object in stored:
            if _overlap(archive_object, key, chunk):
                chunk = Chunk(min(chunk.start, archive_object.start), max(chunk.end, archive_object.end))  # noqa: PLW2901
        by_version[key.version].append((key, chunk))
    for periods in by_version.values():
        periods.sort(key=lambda period: period[1])
        key, merged = periods[0]
        for _, chunk in periods[1:]:
            if chunk.start < merged.end:
                merged = Chunk(merged.start, max(merged.end, chunk.end))
            else:
                yield key, merged
                merged = chunk
        yield key, merged


def _overlap(archive_object: ArchiveObject, key: VersionKey, chunk: Chunk) -> bool:
    return archive_object.key == key and archive_object.start < chunk.end and chunk.start < archive_object.end
