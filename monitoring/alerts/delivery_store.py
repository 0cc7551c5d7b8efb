"""Deliveries in the database: pending until their channel has taken them, or until they are dead letters."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, insert, select, update

from driftline.clock import aware_utc, naive_utc
from driftline.errors import Conflict, NotFound
from driftline.store.ascii_columns import equals
from driftline.store.tables import alert_deliveries
from driftline.store.version_key import VersionKey
from monitoring.alerts.messages.alert import Alert, AlertKind, Delivery
from monitoring.alerts.messages.follow_ups import LastMessage
from monitoring.alerts.messages.wording import title
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.standing import Severity

MOST_IN_DIGEST = 100
_COLUMNS = alert_deliveries.c


class DeliveryState(StrEnum):
    """Whether a delivery waits for its channel, was taken, or is a dead letter: all attempts failed."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """A delivery as it is stored; `digest` is the id of the message that it was sent in with others."""

    number: int
    id: str
    channel: str
    state: DeliveryState
    alert: Alert
    created_at: datetime
    due_at: datetime
    attempts: int
    problem: str | None
    finished_at: datetime | None
    digest: str | None


@dataclass(frozen=True, slots=True)
class PlannedDelivery:
    """A delivery to store: when it is due, and whether it may be sent with others."""

    id: str
    channel: str
    alert: Alert
    due_at: datetime
    grouped: bool = False
    thread: str | None = None
    """The id of the first delivery about its incident on this channel; None if this is the first."""
    attempts: int = 0
    """How many were made, or begin now."""


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A claimed message: its content, the rows that it settles, and the number of this attempt."""

    delivery: Delivery
    numbers: tuple[int, ...]
    attempt: int


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries: the newest `most`, or those with numbers below `before`; None filters nothing."""

    channel: str | None = None
    state: DeliveryState | None = None
    incident: int | None = None
    before: int | None = None
    most: int = 100


def store(connection: Connection, planned: PlannedDelivery, key: VersionKey | None, now: datetime) -> int:
    """Store a delivery; return its number. A test has no model version."""
    alert = planned.alert
    values = {
        "delivery_id": planned.id,
        "thread": planned.thread or planned.id,
        "channel": planned.channel,
        "kind": alert.kind,
        "model_number": key and key.model_number,
        "model_version": key and key.version,
        "incident_number": alert.incident,
        "incident_state": alert.state,
        "severity": alert.severity,
        "worst": alert.worst,
        "content": alert.model_dump_json(),
        "state": DeliveryState.PENDING,
        "grouped": planned.grouped,
        "created_at": naive_utc(now),
        "due_at": naive_utc(planned.due_at),
        "attempts": planned.attempts,
    }
    inserted = connection.execute(insert(alert_deliveries).values(values)).inserted_primary_key
    assert inserted is not None  # noqa: S101  (an insert of one row)
    return int(inserted[0])


def last_messages(connection: Connection, key: VersionKey) -> dict[tuple[int, str], LastMessage]:
    """Return the newest message about each incident of a version by incident and channel."""
    newest = (
        select(func.max(_COLUMNS.number).label("number"), func.min(_COLUMNS.number).label("first"))
        .where(key.rows_of(alert_deliveries))
        .group_by(_COLUMNS.incident_number, _COLUMNS.channel)
        .subquery()
    )
    first = alert_deliveries.alias("first_message")
    joined = alert_deliveries.join(newest, _COLUMNS.number == newest.c.number).join(
        first, first.c.number == newest.c.first
    )
    rows = select(alert_deliveries, first.c.content.label("first_content")).select_from(joined)
    return {(row["incident_number"], row["channel"]): _last(row) for row in connection.execute(rows).mappings()}


def claim(connection: Connection, channel: str, now: datetime, lease: timedelta) -> ClaimedDelivery | None:
    """Claim the oldest delivery of a channel that is due; with others, if it is part of a digest.

    Until `lease` has passed, nobody else sends it. A follow-up waits for the messages of its incident before it.
    """
    row = connection.execute(_claimable(channel, now)).mappings().first()
    if row is None:
        return None
    rows = [row]
    if row["digest"] or row["grouped"]:
        rows = list(connection.execute(_together_with(row, now)).mappings())
    numbers = tuple(delivery["number"] for delivery in rows)
    digest = row["digest"] or (row["delivery_id"] if row["grouped"] else None)
    values = {"attempts": _COLUMNS.attempts + 1, "due_at": naive_utc(now + lease), "digest": digest}
    connection.execute(update(alert_deliveries).where(_COLUMNS.number.in_(numbers)).values(values))
    return ClaimedDelivery(_delivery(connection, rows), numbers, row["attempts"] + 1)


def settle_delivered(connection: Connection, claimed: ClaimedDelivery, now: datetime) -> None:
    """Record that the channel has taken a delivery."""
    _settle(connection, claimed, state=DeliveryState.DELIVERED, problem=None, finished_at=naive_utc(now))


def settle_failed(connection: Connection, claimed: ClaimedDelivery, problem: str, due_at: datetime) -> None:
    """Record why an attempt failed, and when the next one is due."""
    _settle(connection, claimed, problem=problem[:500], due_at=naive_utc(due_at))


def settle_dead(connection: Connection, claimed: ClaimedDelivery, problem: str, now: datetime) -> None:
    """Record that no further attempt is made."""
    _settle(connection, claimed, state=DeliveryState.DEAD, problem=problem[:500], finished_at=naive_utc(now))


def retry(connection: Connection, number: int, now: datetime) -> None:
    """Make a dead letter pending again, due now; with all others of its digest.

    Raises:
        NotFound: no such delivery. Conflict: it is not a dead letter.
    """
    stored = select(_COLUMNS.state, _COLUMNS.digest).where(_COLUMNS.number == number).with_for_update()
    row = connection.execute(stored).first()
    if row is None:
        raise NotFound(f"No delivery has the number {number}; `/api/v1/deliveries` lists them.")
    if row.state != DeliveryState.DEAD:
        raise Conflict(f"Delivery {number} is {row.state}; only a dead letter is sent again.")
    values = {"state": DeliveryState.PENDING, "due_at": naive_utc(now), "attempts": 0, "finished_at": None}
    same_message = _COLUMNS.digest == row.digest if row.digest else _COLUMNS.number == number
    dead = update(alert_deliveries).where(same_message, _COLUMNS.state == DeliveryState.DEAD)
    connection.execute(dead.values(values))


def find_deliveries(connection: Connection, criteria: DeliveryFilter) -> list[StoredDelivery]:
    """Return the deliveries that match a filter, the newest first."""
    filters = (
        (_COLUMNS.channel, criteria.channel),
        (_COLUMNS.state, criteria.state),
        (_COLUMNS.incident_number, criteria.incident),
    )
    statement = select(alert_deliveries)
    for column, value in filters:
        statement = statement if value is None else statement.where(equals(column, value))
    if criteria.before is not None:
        statement = statement.where(_COLUMNS.number < criteria.before)
    rows = connection.execute(statement.order_by(_COLUMNS.number.desc()).limit(criteria.most))
    return [_stored(row) for row in rows.mappings()]


def counts(connection: Connection) -> dict[str, dict[DeliveryState, int]]:
    """Return how many deliveries each channel has in each state."""
    rows = select(_COLUMNS.channel, _COLUMNS.state, func.count()).group_by(_COLUMNS.channel, _COLUMNS.state)
    by_channel: dict[str, dict[DeliveryState, int]] = {}
    for channel, state, count in connection.execute(rows):
        by_channel.setdefault(channel, dict.fromkeys(DeliveryState, 0))[DeliveryState(state)] = count
    return by_channel


def _claimable(channel: str, now: datetime) -> Select[Any]:
    """Return the statement that locks the oldest due delivery of a channel that no earlier one of its thread blocks."""
    earlier = alert_deliveries.alias("earlier")
    blocked = exists().where(
        earlier.c.channel == channel,
        earlier.c.state == DeliveryState.PENDING,
        earlier.c.thread == _COLUMNS.thread,
        earlier.c.number < _COLUMNS.number,
        earlier.c.grouped.is_(False) | (earlier.c.due_at > naive_utc(now)),
    )
    due = and_(_COLUMNS.channel == channel, _COLUMNS.state == DeliveryState.PENDING, _COLUMNS.due_at <= naive_utc(now))
    names_digest = _COLUMNS.digest.is_(None) | (_COLUMNS.digest == _COLUMNS.delivery_id)
    oldest = select(alert_deliveries).where(due, names_digest, ~blocked).order_by(_COLUMNS.number).limit(1)
    return oldest.with_for_update(skip_locked=True)


def _together_with(row: Mapping[Any, Any], now: datetime) -> Select[Any]:
    """Select the rows sent together with a row: those of its digest, or, without one, all that a digest may contain."""
    pending = and_(_COLUMNS.channel == row["channel"], _COLUMNS.state == DeliveryState.PENDING)
    same = _COLUMNS.digest == row["digest"]
    due = and_(_COLUMNS.grouped, _COLUMNS.digest.is_(None), _COLUMNS.due_at <= naive_utc(now))
    rows = select(alert_deliveries).where(pending, same if row["digest"] else due).order_by(_COLUMNS.number)
    return rows.limit(MOST_IN_DIGEST).with_for_update(skip_locked=True)


def _delivery(connection: Connection, rows: list[Any]) -> Delivery:
    alerts = tuple(Alert.model_validate_json(row["content"]) for row in rows)
    if len(rows) > 1:
        id_ = rows[0]["delivery_id"]  # that of the row that was claimed first, which names the digest
        return Delivery(id_, id_, title(alerts[0]), alerts)
    first = select(_COLUMNS.content).where(_COLUMNS.delivery_id == rows[0]["thread"])
    content = connection.execute(first).scalar()
    opening = Alert.model_validate_json(content) if content else alerts[0]
    return Delivery(rows[0]["delivery_id"], rows[0]["thread"], title(opening), alerts)


def _settle(connection: Connection, claimed: ClaimedDelivery, **values: object) -> None:
    """Change the rows of a claim that are pending still: another process may have sent them after the lease."""
    rows = and_(_COLUMNS.number.in_(claimed.numbers), _COLUMNS.state == DeliveryState.PENDING)
    connection.execute(update(alert_deliveries).where(rows).values(values))


def _last(row: Mapping[Any, Any]) -> LastMessage:
    return LastMessage(
        thread=row["thread"],
        title=title(Alert.model_validate_json(row["first_content"])),
        kind=AlertKind(row["kind"]),
        state=IncidentState(row["incident_state"]),
        severity=Severity(row["severity"]),
        worst=Severity(row["worst"]),
    )


def _stored(row: Mapping[Any, Any]) -> StoredDelivery:
    """Return the delivery that a row describes."""
    return StoredDelivery(
        number=row["number"],
        id=row["delivery_id"],
        channel=row["channel"],
        state=DeliveryState(row["state"]),
        alert=Alert.model_validate_json(row["content"]),
        created_at=aware_utc(row["created_at"]),
        due_at=aware_utc(row["due_at"]),
        attempts=row["attempts"],
        problem=row["problem"],
        finished_at=row["finished_at"] and aware_utc(row["finished_at"]),
        digest=row["digest"],
    )
