"""What an archive run would do: which periods of a model to write, and which objects to remove. Nothing is changed."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, func, or_, select, text

from driftline.clock import aware_utc, naive_utc
from driftline.engine.calendar import chunk_at, closing_time, label_deadline
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.spec import ModelClock, Spec
from driftline.store.archive.retention import Retention
from driftline.store.model_numbers import model_number
from driftline.store.rows.archived.archive_objects import ArchiveObject, ObjectState, objects_of
from driftline.store.rows.encoding.prediction_batch import OUTPUTS
from driftline.store.rows.predictions import PredictionStore
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

BEFORE_ANY_DATA = datetime(1970, 1, 1, tzinfo=UTC)


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
    """A blob of MySQL: its batch and first position, and the quarters of an hour of its rows by version."""

    batch: int
    first: int
    slots: frozenset[tuple[int, datetime]]


@dataclass(frozen=True, slots=True)
class ArchivePlan:
    """The due work of a model: periods to write as objects, and objects to remove."""

    model: ModelToArchive
    periods: tuple[tuple[VersionKey, Chunk], ...]
    removals: tuple[ArchiveObject, ...]


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
    described = {row["number"]: row for row in rows}
    return [
        _model(
            connection, number, row["name"], Retention(row["archive_after_days"], row["remove_after_days"]), specs, now
        )
        for (number, row), specs in zip(described.items(), newest.values(), strict=True)
    ]


def _model(
    connection: Connection, number: int, name: str, retention: Retention, texts: Mapping[int, str], now: datetime
) -> ModelToArchive:
    specs = {version: Spec.model_validate_json(text) for version, text in texts.items()}
    newest = PredictionStore(number, next(iter(specs.values()))).newest(connection) or BEFORE_ANY_DATA
    clocks = {version: now if spec.clock is ModelClock.WALL else newest for version, spec in specs.items()}
    return ModelToArchive(number, name, retention, specs, clocks)


def plan_of(connection: Connection, model: ModelToArchive) -> ArchivePlan:
    """Return the due work of a model.

    A period is written where rows of it are due, or where rows of its object do not count any more: the content of a
    deletion must not stay. It is a chunk, extended over the objects that it overlaps.
    """
    objects = objects_of(connection, archive_objects.c.model_number == model.number)
    removals = _removals(model, objects)
    stored = [
        archive_object
        for archive_object in objects
        if archive_object.state is ObjectState.STORED and archive_object not in removals
    ]
    removed = [
        archive_object for archive_object in objects if archive_object.state.is_gone or archive_object in removals
    ]
    due = [*_due_chunks(connection, model, stored, removed), *_changed(connection, model, stored)]
    return ArchivePlan(model, tuple(_merged(due, stored)), tuple(removals))


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
    return [StoredBlob(batch, first, frozenset(places)) for (batch, first), places in sorted(slots.items())]


def covered(blob: StoredBlob, objects: Iterable[ArchiveObject]) -> bool:
    """Return whether objects have all rows of a blob."""
    having = [archive_object for archive_object in objects if blob.batch in archive_object.batches]
    return all(
        any(
            archive_object.key.version == version and archive_object.start <= slot < archive_object.end
            for archive_object in having
        )
        for version, slot in blob.slots
    )


def _removals(model: ModelToArchive, objects: Iterable[ArchiveObject]) -> list[ArchiveObject]:
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
    """Yield the chunks with blobs that are due, but for those of which an object has all the batches.

    Rows that arrived after the rows of their period were removed stay where they are.
    """
    after = model.retention.archive_after
    if after is None:
        return
    batches: dict[tuple[int, Chunk], set[int]] = defaultdict(set)
    chunks: dict[tuple[int, datetime], Chunk] = {}
    for blob in blobs_before(connection, model.number, max(model.clocks.values()) - after):
        for version, slot in blob.slots & _of_versions(blob, model):
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


def _of_versions(blob: StoredBlob, model: ModelToArchive) -> set[tuple[int, datetime]]:
    return {(version, slot) for version, slot in blob.slots if version in model.specs}


def _changed(
    connection: Connection, model: ModelToArchive, stored: Iterable[ArchiveObject]
) -> Iterator[tuple[VersionKey, Chunk]]:
    """Yield the periods of objects with batches of which rows were removed since."""
    batch = removed_rows.c.batch_number
    counts = select(batch, func.count()).where(removed_rows.c.model_number == model.number).group_by(batch)
    removed = dict(map(tuple, connection.execute(counts)))
    for archive_object in stored:
        parts = ((number, part) for number, part in archive_object.batches.items() if part.rows)
        if archive_object.key.version in model.specs and any(
            removed.get(number, 0) != part.removed for number, part in parts
        ):
            yield archive_object.key, Chunk(archive_object.start, archive_object.end)


def _merged(
    due: Iterable[tuple[VersionKey, Chunk]], stored: Sequence[ArchiveObject]
) -> Iterator[tuple[VersionKey, Chunk]]:
    """Yield disjoint periods that contain all that are due and every object that they overlap."""
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
