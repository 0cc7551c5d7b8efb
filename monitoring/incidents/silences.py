"""Silences of incidents: until a time, no alert about one is planned; it ends by itself.

A silence that has ended stays in the incident's row until alerts are planned again, which then tell what has changed
since the last message.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from driftline.clock import naive_utc
from driftline.errors import InvalidInput
from driftline.store.tables import alert_deliveries, incidents
from driftline.store.version_key import VersionKey
from monitoring.incidents.action_log import ActionKind, IncidentAction, record
from monitoring.incidents.stored_incidents import lock_incident

LONGEST_SILENCE = timedelta(days=366)
LONGEST_REASON = 500
_COLUMNS = incidents.c
_ENDED = {"silenced_until": None, "silenced_by": None, "silence_reason": None}


def silence(connection: Connection, number: int, author: str, reason: str, until: datetime, now: datetime) -> None:
    """Silence an incident until a time, instead of an earlier silence; messages that wait to be sent are dropped.

    Raises:
        NotFound: no such incident. InvalidInput: the end is not in the next 366 days.
    """
    if not now < until <= now + LONGEST_SILENCE:
        raise InvalidInput(
            f"A silence ends in the next {LONGEST_SILENCE.days} days, not at {until.isoformat()}; choose a later or "
            "an earlier time."
        )
    key = lock_incident(connection, number)  # and its version: no alert is planned at the same time
    values = {"silenced_until": naive_utc(until), "silenced_by": author, "silence_reason": reason}
    connection.execute(update(incidents).where(_COLUMNS.number == number).values(values))
    waiting = (alert_deliveries.c.incident_number == number) & (alert_deliveries.c.state == "pending")
    connection.execute(delete(alert_deliveries).where(waiting, alert_deliveries.c.attempts == 0))
    record(connection, number, key.model_number, IncidentAction(ActionKind.SILENCED, author, now, reason, until))


def end_silence(connection: Connection, number: int, author: str, now: datetime) -> None:
    """End the silence of an incident; the next poll plans what there is to tell. Without one, nothing changes.

    Raises:
        NotFound: no such incident.
    """
    key = lock_incident(connection, number)
    lasting = (_COLUMNS.number == number) & (_COLUMNS.silenced_until > naive_utc(now))
    ended = update(incidents).where(lasting).values(silenced_until=naive_utc(now))
    if connection.execute(ended).rowcount:
        record(connection, number, key.model_number, IncidentAction(ActionKind.UNSILENCED, author, now))


def versions_with_ended(connection: Connection, now: datetime) -> list[VersionKey]:
    """Return the versions that have an incident whose silence has ended, and no alerts planned since."""
    ended = select(_COLUMNS.model_number, _COLUMNS.model_version).where(_COLUMNS.silenced_until <= naive_utc(now))
    return [VersionKey(*row) for row in connection.execute(ended.distinct())]


def settle_ended(connection: Connection, key: VersionKey, now: datetime) -> int:
    """Remove the silences of a version that have ended, in the transaction that plans alerts; return how many."""
    ended = key.rows_of(incidents) & (_COLUMNS.silenced_until <= naive_utc(now))
    return connection.execute(update(incidents).where(ended).values(_ENDED)).rowcount
