"""What was done to a model, as its charts mark it: versions that became champion, and retrainings."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from driftline.store.versions.retrainings import retrainings_of
from driftline.store.versions.roles import RoleAction, changes_of

_NEW_CHAMPION = frozenset({RoleAction.PROMOTE, RoleAction.ROLLBACK})


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """An event: when it happened by the wall clock, its name on a chart, and what it was in words."""

    at: datetime
    text: str
    words: str


def read_events(connection: Connection, name: str) -> list[ModelEvent]:
    """Return the events of a model, oldest first.

    Raises:
        NotFound: no such model.
    """
    champions = (change for change in changes_of(connection, name) if change.action in _NEW_CHAMPION)
    events = [
        ModelEvent(
            change.author.at,
            f"champion {change.version}",
            f"version {change.version} became champion, by {change.author.name}: {change.author.reason}",
        )
        for change in champions
    ]
    events += [
        ModelEvent(retraining.started_at, "retraining", f"a retraining began ({retraining.cause}): {retraining.state}")
        for retraining in retrainings_of(connection, name)
    ]
    return sorted(events, key=lambda event: event.at)
