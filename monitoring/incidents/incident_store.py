"""Stores derived incidents under numbers that stay the same, with what people have added to them."""

import json
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, and_, delete, func, insert, or_, select, update

from driftline.clock import aware_utc, naive_utc
from driftline.engine.calendar import LONGEST_CHUNK
from driftline.store.tables import incident_actions, incident_comments, incident_events, incidents, verdict_events
from driftline.store.version_key import VersionKey
from monitoring.incidents.derivation import IncidentState, VersionIncident

_COLUMNS = incidents.c
LONGEST, INSTANT = max(LONGEST_CHUNK.values()), timedelta(microseconds=1)
"""No chunk is longer, and no two instants are closer."""


def start_of_region(connection: Connection, key: VersionKey, changed: datetime) -> datetime:
    """Return where to derive from when a chunk has changed: before it, no incident was open or adjacent.

    Incidents of later chunks are derived again with it. No chunk, of an older calendar for instance, is cut in two.
    """
    start = changed
    while True:
        reaches = or_(_COLUMNS.state == IncidentState.OPEN, _COLUMNS.read_until >= naive_utc(start))
        incident = select(func.min(_COLUMNS.first_chunk)).where(
            key.rows_of(incidents), _COLUMNS.first_chunk < naive_utc(start), reaches
        )
        chunk = select(func.min(verdict_events.c.chunk_start)).where(
            key.rows_of(verdict_events),
            verdict_events.c.chunk_start.between(naive_utc(start - LONGEST), naive_utc(start - INSTANT)),
            verdict_events.c.chunk_end > naive_utc(start),
        )
        earlier = [connection.execute(statement).scalar() for statement in (incident, chunk)]
        if earlier == [None, None]:
            return start
        start = min(aware_utc(instant) for instant in earlier if instant is not None)


def replace_derived(connection: Connection, key: VersionKey, first: datetime, derived: list[VersionIncident]) -> None:
    """Replace the incidents from `first` on by newly derived ones.

    An incident keeps its number, acknowledgement, silence and comments where it overlaps a stored one, the earliest if
    there are several; the others' comments and their history move to it.
    """
    later = and_(key.rows_of(incidents), _COLUMNS.first_chunk >= naive_utc(first))
    stored = list(connection.execute(select(incidents).where(later).order_by(_COLUMNS.first_chunk)).mappings())
    numbers = [row["number"] for row in stored]
    connection.execute(delete(incident_events).where(incident_events.c.incident_number.in_(numbers)))
    unused = list(stored)
    for incident in derived:
        overlapping = [row for row in unused if _overlaps(incident, row)]
        replaced = overlapping[0] if overlapping else None
        number = _write(connection, key, incident, replaced)
        for row in overlapping:
            unused.remove(row)
        _merge(connection, number, overlapping)


def _overlaps(incident: VersionIncident, row: RowMapping) -> bool:
    return incident.overlaps(aware_utc(row["first_chunk"]), aware_utc(row["read_until"]))


def _write(connection: Connection, key: VersionKey, incident: VersionIncident, replaced: RowMapping | None) -> int:
    """Write an incident, in place of a stored one if there is one; return its number."""
    values = _row(key, incident)
    if replaced is None:
        inserted = connection.execute(insert(incidents).values(values)).inserted_primary_key
        assert inserted is not None  # noqa: S101  (an insert of one row)
        number = int(inserted[0])
    else:
        number = replaced["number"]
        connection.execute(update(incidents).where(_COLUMNS.number == number).values(values))
    rows = [
        {
            "incident_number": number,
            "position": position,
            "model_number": key.model_number,
            "kind": event.kind,
            "chunk_start": naive_utc(event.chunk_start),
            "state_before": event.before,
            "state": event.state,
            "reason": event.reason,
            "derived_at": naive_utc(event.derived_at),
        }
        for position, event in enumerate(incident.events)
    ]
    connection.execute(insert(incident_events), rows)
    return number


def _merge(connection: Connection, number: int, overlapping: list[RowMapping]) -> None:
    """Move the comments, the history and the earliest acknowledgement of covered incidents to an incident.

    It has the assignment of the first that has one. A silence stays that of its own number: an alert about the earlier
    incident is not held back since somebody silenced a later one.
    """
    absorbed = [row["number"] for row in overlapping if row["number"] != number]
    if not absorbed:
        return
    for table in (incident_comments, incident_actions):
        moved = update(table).where(table.c.incident_number.in_(absorbed))
        connection.execute(moved.values(incident_number=number))
    connection.execute(delete(incidents).where(_COLUMNS.number.in_(absorbed)))
    assigned = next((row["assigned_to"] for row in overlapping if row["assigned_to"] is not None), None)
    connection.execute(update(incidents).where(_COLUMNS.number == number).values(assigned_to=assigned))
    acknowledged = [row for row in overlapping if row["acknowledged_at"] is not None]
    if acknowledged:
        earliest = min(acknowledged, key=lambda row: row["acknowledged_at"])
        values = {name: earliest[name] for name in ("acknowledged_at", "acknowledged_by")}
        connection.execute(update(incidents).where(_COLUMNS.number == number).values(values))


def _row(key: VersionKey, incident: VersionIncident) -> dict[str, object]:
    """Return the row of an incident."""
    return {
        "model_number": key.model_number,
        "model_version": key.version,
        "first_chunk": naive_utc(incident.first),
        "last_chunk": naive_utc(incident.last),
        "read_until": naive_utc(incident.read_until),
        "state": incident.state,
        "severity": incident.severity,
        "worst": incident.worst,
        "reasons": json.dumps(incident.reasons),
        "opened_at": naive_utc(incident.opened_at),
        "changed_at": naive_utc(incident.changed_at),
        "backfill": incident.backfill,
    }
