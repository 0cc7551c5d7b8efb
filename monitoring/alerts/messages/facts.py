"""Reads what a message says about an incident."""

from collections import Counter
from datetime import datetime
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from driftline.engine.results import State
from driftline.engine.spec import Spec
from driftline.store.version_key import VersionKey
from monitoring.alerts.messages.alert import Alert, AlertKind
from monitoring.alerts.messages.follow_ups import LastMessage
from monitoring.incidents.stored_incidents import StoredIncident, events_of
from monitoring.poll.results.revisions import RevisionStore
from monitoring.poll.results.verdicts import VerdictStore

MOST_NAMES = 8
"""How many columns, and how many segments, a message names."""


def read_alert(
    connection: Connection,
    key: VersionKey,
    spec: Spec,
    incident: StoredIncident,
    kind: AlertKind,
    last: LastMessage | None,
    public_url: str,
) -> Alert:
    """Return the alert about an incident, with the numbers of its last chunk in trouble."""
    store = RevisionStore(key)
    start = incident.last
    revision = store.between(connection, start, start).get(start)
    verdict = VerdictStore(key).between(connection, start, start).get(start)
    events = events_of(connection, incident.number)
    return Alert(
        kind=kind,
        model=incident.model,
        version=incident.version,
        owner=incident.owner,
        assigned_to=incident.assigned_to,
        incident=incident.number,
        state=incident.state,
        severity=incident.severity,
        worst=incident.worst,
        severity_before=last and last.severity,
        since=incident.first,
        last=incident.last,
        period=spec.period,
        time_zone=spec.time_zone,
        news=max(events, key=lambda event: event.derived_at).reason if events else "",
        reasons=incident.reasons,
        provisional=verdict.verdict.provisional if verdict else True,
        rows=revision.rows if revision else 0,
        labelled=revision.labelled if revision else 0,
        columns=verdict.verdict.drifted[:MOST_NAMES] if verdict else (),
        segments=segments_outside(connection, key, start)[:MOST_NAMES],
        incident_url=f"{public_url}/incidents/{incident.number}" if public_url else None,
        chunks_url=_chunks_url(public_url, incident) if public_url else None,
    )


def segments_outside(connection: Connection, key: VersionKey, start: datetime) -> tuple[str, ...]:
    """Return the segments with results out of bounds in the chunk that starts then, those with the most first."""
    results = RevisionStore(key).results_between(connection, start, start).get(start, ())
    outside = (r.segment for r in results if r.segment is not None and r.state in (State.WARN, State.ALERT))
    return tuple(segment for segment, _ in Counter(outside).most_common())


def _chunks_url(public_url: str, incident: StoredIncident) -> str:
    """Return the address of the charts of an incident's chunks."""
    period = {"from": f"{incident.first:%Y-%m-%dT%H:%M:%SZ}", "to": f"{incident.last:%Y-%m-%dT%H:%M:%SZ}"}
    return f"{public_url}/models/{quote(incident.model)}?{urlencode({'version': incident.version} | period)}"
