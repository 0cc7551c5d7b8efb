"""Pending chunks: what must be computed now, or when the model's clock gets there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from driftline.clock import aware_utc, naive_utc
from driftline.store.tables import model_versions, models, pending_chunks
from monitoring.poll.watched import VersionKey

FIRST_REST = timedelta(seconds=20)
LONGEST_REST = timedelta(hours=1)
LONGEST_ERROR = 500

_version = pending_chunks.c.model_version
_start = pending_chunks.c.chunk_start


@dataclass(frozen=True, slots=True)
class Claim:
    """A pending chunk that this transaction holds."""

    start: datetime


def versions(connection: Connection) -> list[tuple[str, VersionKey]]:
    """List the ready versions (model name, key) that have a pending chunk, due or not."""
    same = and_(
        model_versions.c.model_number == pending_chunks.c.model_number,
        model_versions.c.version == pending_chunks.c.model_version,
        model_versions.c.state == "ready",
    )
    statement = (
        select(models.c.name, models.c.number, _version)
        .select_from(pending_chunks.join(model_versions, same).join(models))
        .distinct()
        .order_by(models.c.number, _version)
    )
    return [(name, VersionKey(number, version)) for name, number, version in connection.execute(statement)]


def claim(
    connection: Connection, key: VersionKey, clock: datetime, after: datetime | None, rested_by: datetime | None
) -> Claim | None:
    """Lock the first due chunk that starts later than `after`, skipping those others hold.

    `rested_by` is the wall's instant by which a chunk that failed must have rested; None takes it all the same.
    """
    due = [_of(key), or_(pending_chunks.c.due_at.is_(None), pending_chunks.c.due_at <= naive_utc(clock))]
    if after is not None:
        due.append(_start > naive_utc(after))
    if rested_by is not None:
        due.append(or_(pending_chunks.c.retry_at.is_(None), pending_chunks.c.retry_at <= naive_utc(rested_by)))
    start = connection.execute(
        select(_start)
        .where(*due)
        .order_by(pending_chunks.c.model_number, _version, _start)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).scalar()
    return None if start is None else Claim(aware_utc(start))


def settle(connection: Connection, key: VersionKey, start: datetime, due_at: datetime | None) -> None:
    """End a claim: the row goes, or waits for the next instant of the model's clock that matters."""
    if due_at is None:
        connection.execute(delete(pending_chunks).where(_one(key, start)))
        return
    waiting = {"due_at": naive_utc(due_at), "attempts": 0, "last_error": None, "retry_at": None}
    connection.execute(update(pending_chunks).where(_one(key, start)).values(waiting))


def fail(connection: Connection, key: VersionKey, start: datetime, reason: str, now: datetime) -> None:
    """Keep why a chunk failed and let it rest, each time twice as long, at most an hour."""
    attempts = connection.execute(select(pending_chunks.c.attempts).where(_one(key, start)).with_for_update()).scalar()
    if attempts is None:
        return
    rest = min(FIRST_REST * 2 ** min(attempts, 10), LONGEST_REST)
    failed = {"attempts": attempts + 1, "last_error": reason[:LONGEST_ERROR], "retry_at": naive_utc(now + rest)}
    connection.execute(update(pending_chunks).where(_one(key, start)).values(failed))


def failures(connection: Connection, key: VersionKey) -> dict[datetime, str]:
    """Give by chunk start why its last computation failed."""
    statement = select(_start, pending_chunks.c.last_error).where(_of(key), pending_chunks.c.attempts > 0)
    return {aware_utc(start): reason or "" for start, reason in connection.execute(statement)}


def waiting(connection: Connection, key: VersionKey) -> tuple[datetime, ...]:
    """Give the starts of the chunks whose content changed and that are not yet computed again."""
    statement = select(_start).where(_of(key), pending_chunks.c.due_at.is_(None)).order_by(_start)
    return tuple(aware_utc(start) for start in connection.execute(statement).scalars())


def _of(key: VersionKey) -> ColumnElement[bool]:
    return and_(pending_chunks.c.model_number == key.model_number, _version == key.version)


def _one(key: VersionKey, start: datetime) -> ColumnElement[bool]:
    return and_(_of(key), _start == naive_utc(start))
