"""The queue of pending chunks: which must be computed now, and which when the model's clock reaches an instant."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, null, or_, select, update
from sqlalchemy.dialects.mysql import insert as upsert

from driftline.clock import aware_utc, naive_utc
from driftline.engine.calendar import chunk_at
from driftline.engine.spec import ModelClock, Spec
from driftline.store.ledger import KINDS_WITH_ROWS
from driftline.store.tables import ledger, ledger_slots, model_versions, models, pending_chunks, spec_revisions
from driftline.store.version_key import VersionKey

FIRST_RETRY_DELAY = timedelta(seconds=20)
"""How long a chunk waits after its first failure; each further one doubles the delay."""
LONGEST_RETRY_DELAY = timedelta(hours=1)
LONGEST_ERROR = 500

_version = pending_chunks.c.model_version
_start = pending_chunks.c.chunk_start


@dataclass(frozen=True, slots=True)
class Claim:
    """A pending chunk that is locked by the current transaction.

    `passed_over` says that an earlier one was due, which another transaction has locked.
    """

    start: datetime
    passed_over: bool = False


def queue(connection: Connection, key: VersionKey, starts: set[datetime], since: datetime | None = None) -> None:
    """Make chunks pending now, those included that are queued for a later instant.

    `since` is when the batch was written that they wait to be computed with, if it is one.
    """
    rows = [
        {
            "model_number": key.model_number,
            "model_version": key.version,
            "chunk_start": naive_utc(start),
            "waiting_since": since and naive_utc(since),
        }
        for start in sorted(starts)
    ]
    if rows:
        queued = upsert(pending_chunks)
        waiting = queued.inserted.waiting_since
        present = case(
            (pending_chunks.c.due_at.is_(None), func.coalesce(pending_chunks.c.waiting_since, waiting)), else_=waiting
        )
        connection.execute(queued.on_duplicate_key_update([("waiting_since", present), ("due_at", null())]), rows)


def queue_all(connection: Connection, key: VersionKey, spec: Spec) -> None:
    """Queue every chunk that a batch of the version's predictions touched."""
    slots = connection.execute(select(ledger_slots.c.slot).where(key.rows_of(ledger_slots)).distinct()).scalars()
    queue(connection, key, {chunk_at(spec, aware_utc(slot)).start for slot in slots})


def due_versions(connection: Connection, now: datetime) -> list[tuple[str, VersionKey]]:
    """Return the ready versions, as (model name, key), that have a chunk due at `now`, an instant of the wall clock.

    No spec is loaded for it, so the cost of a version without news is that of its pending rows.
    """
    same = and_(
        model_versions.c.model_number == pending_chunks.c.model_number,
        model_versions.c.version == pending_chunks.c.model_version,
        model_versions.c.state == "ready",
    )
    statement = (
        select(models.c.name, models.c.number, _version)
        .select_from(pending_chunks.join(model_versions, same).join(models))
        .where(or_(pending_chunks.c.due_at.is_(None), _is_due(now)))
        .distinct()
        .order_by(models.c.number, _version)
    )
    return [(name, VersionKey(number, version)) for name, number, version in connection.execute(statement)]


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Return whether the clock of a chunk's model, the wall's or the newest event, has reached its instant."""
    newest_event = (
        select(func.max(ledger.c.last_event))
        .where(
            ledger.c.model_number == pending_chunks.c.model_number,
            ledger.c.kind.in_(KINDS_WITH_ROWS),
        )
        .correlate(pending_chunks)
        .scalar_subquery()
    )
    clock = (
        select(func.json_unquote(func.json_extract(spec_revisions.c.spec, "$.clock")))
        .where(
            spec_revisions.c.model_number == pending_chunks.c.model_number, spec_revisions.c.model_version == _version
        )
        .order_by(spec_revisions.c.revision.desc())
        .limit(1)
        .correlate(pending_chunks)
        .scalar_subquery()
    )
    due_at = pending_chunks.c.due_at
    return or_(due_at <= newest_event, and_(due_at <= naive_utc(now), clock == ModelClock.WALL.value))


def claim(
    connection: Connection, key: VersionKey, clock: datetime, after: datetime | None, retry_by: datetime | None
) -> Claim | None:
    """Lock the first due chunk that starts later than `after`, skipping those locked by others; None if there is none.

    A chunk that failed is skipped if its retry is due after `retry_by`, an instant of the wall clock; with None it is
    claimed in any case.
    """
    due = [
        key.rows_of(pending_chunks),
        or_(pending_chunks.c.due_at.is_(None), pending_chunks.c.due_at <= naive_utc(clock)),
    ]
    if after is not None:
        due.append(_start > naive_utc(after))
    if retry_by is not None:
        due.append(or_(pending_chunks.c.retry_at.is_(None), pending_chunks.c.retry_at <= naive_utc(retry_by)))
    first = select(_start).where(*due).order_by(pending_chunks.c.model_number, _version, _start).limit(1)
    start = connection.execute(first.with_for_update(skip_locked=True)).scalar()
    if start is None:
        return None
    earliest = connection.execute(first).scalar()
    return Claim(aware_utc(start), passed_over=earliest is not None and earliest < start)


def settle(connection: Connection, key: VersionKey, start: datetime, due_at: datetime | None) -> None:
    """End a claim: delete the pending row, or keep it until the model's clock reaches `due_at`."""
    if due_at is None:
        connection.execute(delete(pending_chunks).where(_is_chunk(key, start)))
        return
    waiting = {"due_at": naive_utc(due_at), "attempts": 0, "last_error": None, "retry_at": None, "waiting_since": None}
    connection.execute(update(pending_chunks).where(_is_chunk(key, start)).values(waiting))


def fail(connection: Connection, key: VersionKey, start: datetime, reason: str, now: datetime) -> None:
    """Store why a chunk failed, and delay its next attempt: 20 s at first, doubled each time, at most an hour.

    If another transaction has claimed or queued the chunk meanwhile, nothing is stored.
    """
    attempts = connection.execute(
        select(pending_chunks.c.attempts).where(_is_chunk(key, start)).with_for_update(skip_locked=True)
    ).scalar()
    if attempts is None:
        return
    delay = min(FIRST_RETRY_DELAY * 2 ** min(attempts, 10), LONGEST_RETRY_DELAY)
    failed = {"attempts": attempts + 1, "last_error": reason[:LONGEST_ERROR], "retry_at": naive_utc(now + delay)}
    connection.execute(update(pending_chunks).where(_is_chunk(key, start)).values(failed))


def failures(connection: Connection, key: VersionKey) -> dict[datetime, str]:
    """Return by chunk start why its last computation failed."""
    statement = select(_start, pending_chunks.c.last_error).where(
        key.rows_of(pending_chunks), pending_chunks.c.attempts > 0
    )
    return {aware_utc(start): reason or "" for start, reason in connection.execute(statement)}


def changed(connection: Connection, key: VersionKey) -> tuple[datetime, ...]:
    """Return the starts of the chunks whose content has changed since they were computed."""
    statement = select(_start).where(key.rows_of(pending_chunks), pending_chunks.c.due_at.is_(None)).order_by(_start)
    return tuple(aware_utc(start) for start in connection.execute(statement).scalars())


def _is_chunk(key: VersionKey, start: datetime) -> ColumnElement[bool]:
    return and_(key.rows_of(pending_chunks), _start == naive_utc(start))
