"""An incident and what is sent about it."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from driftline.engine.spec import Period
from monitoring.alerts.messages.alert import Alert, AlertKind, Delivery
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.standing import Severity
from monitoring.incidents.stored_incidents import StoredIncident

MAY_12 = datetime(2026, 5, 12, tzinfo=UTC)
MAY_16 = datetime(2026, 5, 16, tzinfo=UTC)


def incident(**changes: Any) -> StoredIncident:
    """Return an incident with these fields changed."""
    values: dict[str, Any] = {
        "number": 7,
        "model": "churn",
        "version": 1,
        "period": Period.DAY,
        "zone": ZoneInfo("UTC"),
        "state": IncidentState.OPEN,
        "severity": Severity.WARN,
        "worst": Severity.WARN,
        "first": MAY_12,
        "last": MAY_16,
        "opened_at": MAY_12,
        "changed_at": MAY_16,
        "backfill": False,
        "reasons": ("F1 fell.",),
        "acknowledged_at": None,
        "acknowledged_by": None,
    }
    return StoredIncident(**values | changes)


def alert(**changes: Any) -> Alert:
    """Return an alert with these fields changed."""
    values: dict[str, Any] = {
        "kind": AlertKind.OPENED,
        "model": "churn",
        "version": 2,
        "incident": 7,
        "state": IncidentState.OPEN,
        "severity": Severity.ALERT,
        "worst": Severity.ALERT,
        "since": MAY_12,
        "last": MAY_16,
        "period": Period.DAY,
        "time_zone": "UTC",
        "news": "F1 0.5 is below its alert bound 0.6.",
        "reasons": ("F1 0.5 is below its alert bound 0.6.", "Drift of <minutes> & @all lasts."),
        "provisional": True,
        "rows": 12_300,
        "labelled": 3_813,
        "columns": ("minutes",),
        "segments": ("carrier = AA",),
        "incident_url": "https://driftline.example/incidents/7",
        "chunks_url": "https://driftline.example/models/churn?version=2",
    }
    return Alert(**values | changes)


def delivery(*alerts: Alert, thread: str = "d1") -> Delivery:
    return Delivery("d1", thread, "churn: Alert since 12 May 2026 (incident 7)", alerts or (alert(),))
