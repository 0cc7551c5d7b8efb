"""Which message follows the last one about an incident. No I/O here."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from driftline.engine.calendar import chunk_at, label_deadline
from driftline.engine.spec import Spec
from monitoring.alerts.messages.alert import AlertKind
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.standing import Severity
from monitoring.incidents.stored_incidents import StoredIncident


@dataclass(frozen=True, slots=True)
class LastMessage:
    """The newest message about an incident on one channel, sent or not: its thread and what it says."""

    thread: str
    title: str
    kind: AlertKind
    state: IncidentState
    severity: Severity
    worst: Severity


def kind_of(incident: StoredIncident, last: LastMessage | None, *, backfilled: bool) -> AlertKind | None:
    """Return the kind of the next message about an incident; None if there is nothing new.

    An incident that ended before its first message gets one message, unless it is backfilled.
    """
    if last is None:
        return None if backfilled else _FIRST[incident.state]
    if (last.state, last.severity, last.worst) == (incident.state, incident.severity, incident.worst):
        return None
    if incident.state is not last.state:
        over = incident.state is not IncidentState.OPEN and last.state is IncidentState.OPEN
        withdrawn = incident.state is IncidentState.WITHDRAWN
        return _ENDS[incident.state] if over or withdrawn else AlertKind.REVISED
    if incident.state is IncidentState.OPEN and incident.severity is not last.severity:
        return AlertKind.WORSE if incident.severity is Severity.ALERT else AlertKind.BETTER
    return AlertKind.REVISED


def is_backfilled(spec: Spec, incident: StoredIncident, now: datetime, days: float) -> bool:
    """Return whether an incident is of the past: its last labels were due long ago, or it was over when it was seen."""
    if incident.state is not IncidentState.OPEN and incident.backfill:
        return True
    return now > label_deadline(spec, chunk_at(spec, incident.last)) + timedelta(days=days)


_FIRST = {
    IncidentState.OPEN: AlertKind.OPENED,
    IncidentState.RESOLVED: AlertKind.RESOLVED,
    IncidentState.WITHDRAWN: None,
}
_ENDS = {IncidentState.RESOLVED: AlertKind.RESOLVED, IncidentState.WITHDRAWN: AlertKind.WITHDRAWN}
