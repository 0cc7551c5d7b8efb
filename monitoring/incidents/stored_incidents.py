"""Reads stored incidents, and stores what people add to them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, ScalarSelect, Select, func, insert, or_, select, update

from driftline.clock import aware_utc, naive_utc
from driftline.engine.results import State
from driftline.engine.spec import Period
from driftline.errors import NotFound
from driftline.store.ascii_columns import equals
from driftline.store.model_numbers import lock_version
from driftline.store.tables import incident_comments, incident_events, incidents, models, spec_revisions
from driftline.store.version_key import VersionKey
from monitoring.incidents.action_log import ActionKind, IncidentAction, record
from monitoring.incidents.derivation import IncidentEvent, IncidentEventKind, IncidentState
from monitoring.incidents.standing import Severity

NO_CALLER = "local"
"""Who acts where no token is needed and no author is given."""
_COLUMNS, _EVENTS, _COMMENTS = incidents.c, incident_events.c, incident_comments.c


@dataclass(frozen=True, slots=True)
class StoredIncident:
    """An incident of a model version as it is stored.

    `first` and `last` are the starts of its first and its last chunk in trouble, in the calendar of `period` and
    `zone`. `acknowledged_at` and `acknowledged_by` are None until somebody has acknowledged it. `owner` is the
    model's. No alert is sent about it before `silenced_until`, and `assigned_to` is who works on it; None: nobody in
    particular.
    """

    number: int
    model: str
    version: int
    period: Period
    zone: ZoneInfo
    state: IncidentState
    severity: Severity
    worst: Severity
    first: datetime
    last: datetime
    opened_at: datetime
    changed_at: datetime
    backfill: bool
    reasons: tuple[str, ...]
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    owner: str | None = None
    assigned_to: str | None = None
    silenced_until: datetime | None = None
    silenced_by: str | None = None
    silence_reason: str | None = None

    def is_silenced(self, now: datetime) -> bool:
        """Return whether no alert is sent about it at an instant."""
        return self.silenced_until is not None and now < self.silenced_until


@dataclass(frozen=True, slots=True)
class IncidentComment:
    """What somebody wrote about an incident, and when."""

    number: int
    author: str
    text: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """Which incidents: the newest `most`, or those with numbers below `before`; None filters nothing.

    `since` and `until` are instants: incidents whose chunks start in between, both included.
    """

    model: str | None = None
    version: int | None = None
    state: IncidentState | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    most: int = 100


def find_incidents(connection: Connection, criteria: IncidentFilter) -> list[StoredIncident]:
    """Return the incidents that match a filter, the newest number first."""
    statement = _selected()
    filters = (
        (models.c.name, criteria.model),
        (_COLUMNS.model_version, criteria.version),
        (_COLUMNS.state, criteria.state),
    )
    for column, value in filters:
        statement = statement if value is None else statement.where(equals(column, value))
    if criteria.since is not None:
        lasting = _COLUMNS.state == IncidentState.OPEN
        statement = statement.where(or_(lasting, _COLUMNS.last_chunk >= naive_utc(criteria.since)))
    if criteria.until is not None:
        statement = statement.where(_COLUMNS.first_chunk <= naive_utc(criteria.until))
    if criteria.before is not None:
        statement = statement.where(_COLUMNS.number < criteria.before)
    rows = connection.execute(statement.order_by(_COLUMNS.number.desc()).limit(criteria.most)).mappings()
    return [_incident(row) for row in rows]


def load_incident(connection: Connection, number: int) -> StoredIncident:
    """Return one incident.

    Raises:
        NotFound: no such incident.
    """
    row = connection.execute(_selected().where(_COLUMNS.number == number)).mappings().first()
    if row is None:
        raise _no_incident(number)
    return _incident(row)


def events_of(connection: Connection, number: int) -> list[IncidentEvent]:
    """Return the events of an incident in the order of its chunks."""
    rows = select(incident_events).where(_EVENTS.incident_number == number).order_by(_EVENTS.position)
    return [
        IncidentEvent(
            IncidentEventKind(row["kind"]),
            aware_utc(row["chunk_start"]),
            State(row["state_before"]) if row["state_before"] else None,
            State(row["state"]),
            row["reason"],
            aware_utc(row["derived_at"]),
        )
        for row in connection.execute(rows).mappings()
    ]


def comments_of(connection: Connection, number: int) -> list[IncidentComment]:
    """Return the comments on an incident, oldest first."""
    rows = select(incident_comments).where(_COMMENTS.incident_number == number).order_by(_COMMENTS.number)
    return [
        IncidentComment(row["number"], row["author"], row["text"], aware_utc(row["written_at"]))
        for row in connection.execute(rows).mappings()
    ]


def acknowledge(connection: Connection, number: int, author: str, now: datetime) -> StoredIncident:
    """Acknowledge an incident; the first acknowledgement stays.

    Raises:
        NotFound: no such incident.
    """
    key = lock_incident(connection, number)
    first = (_COLUMNS.number == number) & _COLUMNS.acknowledged_at.is_(None)
    values = {"acknowledged_at": naive_utc(now), "acknowledged_by": author}
    if connection.execute(update(incidents).where(first).values(values)).rowcount:
        record(connection, number, key.model_number, IncidentAction(ActionKind.ACKNOWLEDGED, author, now))
    return load_incident(connection, number)


def assign(connection: Connection, number: int, author: str, assignee: str | None, now: datetime) -> None:
    """Assign an incident to a name, or with None to nobody.

    Raises:
        NotFound: no such incident.
    """
    key = lock_incident(connection, number)
    connection.execute(update(incidents).where(_COLUMNS.number == number).values(assigned_to=assignee))
    record(connection, number, key.model_number, IncidentAction(ActionKind.ASSIGNED, author, now, assignee))


def comment(connection: Connection, number: int, author: str, text: str, now: datetime) -> None:
    """Store a comment on an incident.

    Raises:
        NotFound: no such incident.
    """
    model_number = lock_incident(connection, number).model_number
    values = {"incident_number": number, "model_number": model_number, "author": author, "text": text}
    connection.execute(insert(incident_comments).values(values | {"written_at": naive_utc(now)}))


def lock_incident(connection: Connection, number: int) -> VersionKey:
    """Lock the row of an incident, so that no derivation moves what is added to it; return the key of its version.

    The version is locked first, as a derivation does.

    Raises:
        NotFound: no such incident.
    """
    columns = (_COLUMNS.model_number, _COLUMNS.model_version)
    incident = select(*columns).where(_COLUMNS.number == number)
    version = connection.execute(incident).first()
    if version is None or not lock_version(connection, VersionKey(*version)):
        raise _no_incident(number)
    locked = connection.execute(incident.with_for_update()).first()
    if locked is None:  # it became a part of an earlier one
        raise _no_incident(number)
    return VersionKey(*locked)


def _no_incident(number: int) -> NotFound:
    return NotFound(f"No incident has the number {number}; `/api/v1/incidents` lists them.")


def _selected() -> Select[Any]:
    """Return the selection of incidents with their models and the calendars of their versions' newest specs."""
    same_model = spec_revisions.c.model_number == _COLUMNS.model_number
    specs = select(spec_revisions.c.spec).where(same_model, spec_revisions.c.model_version == _COLUMNS.model_version)
    newest = specs.order_by(spec_revisions.c.revision.desc()).limit(1).scalar_subquery()
    calendar = (_text_of(newest, name).label(name) for name in ("period", "time_zone"))
    return select(incidents, models.c.name, models.c.owner, *calendar).select_from(
        incidents.join(models, models.c.number == _COLUMNS.model_number)
    )


def _text_of(spec: ScalarSelect[Any], name: str) -> ColumnElement[str]:
    return func.json_unquote(func.json_extract(spec, f"$.{name}"))


def _incident(row: Mapping[Any, Any]) -> StoredIncident:
    """Return the incident that a row describes."""
    return StoredIncident(
        number=row["number"],
        model=row["name"],
        version=row["model_version"],
        period=Period(row["period"]),
        zone=ZoneInfo(row["time_zone"]),
        state=IncidentState(row["state"]),
        severity=Severity(row["severity"]),
        worst=Severity(row["worst"]),
        first=aware_utc(row["first_chunk"]),
        last=aware_utc(row["last_chunk"]),
        opened_at=aware_utc(row["opened_at"]),
        changed_at=aware_utc(row["changed_at"]),
        backfill=bool(row["backfill"]),
        reasons=tuple(json.loads(row["reasons"])),
        acknowledged_at=row["acknowledged_at"] and aware_utc(row["acknowledged_at"]),
        acknowledged_by=row["acknowledged_by"],
        owner=row["owner"],
        assigned_to=row["assigned_to"],
        silenced_until=row["silenced_until"] and aware_utc(row["silenced_until"]),
        silenced_by=row["silenced_by"],
        silence_reason=row["silence_reason"],
    )
