"""What the caller of a request does to an incident, over the API or on its page: acknowledge, assign, silence it."""

from datetime import datetime

from flask import g
from sqlalchemy import Engine

from driftline.store.database import in_transaction
from monitoring.incidents import silences, stored_incidents
from monitoring.incidents.stored_incidents import NO_CALLER


def acknowledge(engine: Engine, number: int, now: datetime) -> None:
    """Acknowledge an incident as the caller.

    Raises:
        NotFound: no such incident.
    """
    caller = g.get("caller") or NO_CALLER
    in_transaction(engine, lambda connection: stored_incidents.acknowledge(connection, number, caller, now))


def comment(engine: Engine, number: int, author: str | None, text: str, now: datetime) -> None:
    """Comment on an incident as the caller; where requests need no token, as the author that is given.

    Raises:
        NotFound: no such incident.
    """
    writer = g.get("caller") or author or NO_CALLER
    in_transaction(engine, lambda connection: stored_incidents.comment(connection, number, writer, text, now))


def assign(engine: Engine, number: int, author: str | None, assignee: str | None, now: datetime) -> None:
    """Assign an incident to a name, or with None to nobody, as the caller.

    Raises:
        NotFound: no such incident.
    """
    caller = g.get("caller") or author or NO_CALLER
    in_transaction(engine, lambda connection: stored_incidents.assign(connection, number, caller, assignee, now))


def silence(engine: Engine, number: int, author: str | None, reason: str, until: datetime, now: datetime) -> None:
    """Silence an incident until a time, as the caller.

    Raises:
        NotFound: no such incident. InvalidInput: the end is not in the next 366 days.
    """
    caller = g.get("caller") or author or NO_CALLER
    in_transaction(engine, lambda connection: silences.silence(connection, number, caller, reason, until, now))


def end_silence(engine: Engine, number: int, now: datetime) -> None:
    """End the silence of an incident, as the caller.

    Raises:
        NotFound: no such incident.
    """
    caller = g.get("caller") or NO_CALLER
    in_transaction(engine, lambda connection: silences.end_silence(connection, number, caller, now))
