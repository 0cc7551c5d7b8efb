"""The history of what people did to incidents: acknowledged, assigned and silenced them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select

from driftline.clock import aware_utc, naive_utc
from driftline.store.tables import incident_actions

_COLUMNS = incident_actions.c


class ActionKind(StrEnum):
    """What somebody did to an incident."""

    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    SILENCED = "silenced"
    UNSILENCED = "unsilenced"


@dataclass(frozen=True, slots=True)
class IncidentAction:
    """What somebody did to an incident, and when.

    `text` is who it is assigned to, None if nobody is any more, or the reason of a silence, which ends at `until`.
    """

    kind: ActionKind
    author: str
    at: datetime
    text: str | None = None
    until: datetime | None = None


def record(connection: Connection, number: int, model_number: int, action: IncidentAction) -> None:
    """Add an action to the history of an incident."""
    values = {
        "incident_number": number,
        "model_number": model_number,
        "kind": action.kind,
        "author": action.author,
        "text": action.text,
        "until": action.until and naive_utc(action.until),
        "acted_at": naive_utc(action.at),
    }
    connection.execute(insert(incident_actions).values(values))


def actions_of(connection: Connection, number: int) -> list[IncidentAction]:
    """Return what people did to an incident, oldest first."""
    rows = select(incident_actions).where(_COLUMNS.incident_number == number).order_by(_COLUMNS.number)
    return [
        IncidentAction(
            ActionKind(row["kind"]),
            row["author"],
            aware_utc(row["acted_at"]),
            row["text"],
            row["until"] and aware_utc(row["until"]),
        )
        for row in connection.execute(rows).mappings()
    ]
