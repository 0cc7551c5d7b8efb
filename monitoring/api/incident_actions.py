"""What the caller of a request does to an incident, over the API or on its page: acknowledge it, comment on it."""

from datetime import datetime

from flask import g
from sqlalchemy import Engine

from driftline.store.database import in_transaction
from monitoring.incidents import stored_incidents
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
