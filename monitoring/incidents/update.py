"""Takes pending verdict events into the stored incidents."""

from functools import partial

from sqlalchemy import Connection, Engine

from driftline.store.database import in_transaction, translated
from driftline.store.model_numbers import lock_version
from driftline.store.version_key import VersionKey
from monitoring.incidents import event_log
from monitoring.incidents.derivation import derive_incidents
from monitoring.incidents.incident_store import replace_derived, start_of_region
from monitoring.poll.results.verdict_events import EventConsumer


def update_incidents(engine: Engine) -> int:
    """Take all pending verdict events, one transaction for each version; return how many there were.

    Any number of processes may do so at once and be killed at any point: the incidents are the same in the end.

    Raises:
        DatabaseUnavailable: the database is unavailable; events that were not taken stay pending.
    """
    with translated(), engine.connect() as connection:
        versions = event_log.versions_with_events(connection, EventConsumer.INCIDENTS)
    return sum(in_transaction(engine, partial(update_version, key=key)) for key in versions)


def update_version(connection: Connection, key: VersionKey) -> int:
    """Derive again the incidents that pending events of a version touch, and settle the events.

    The version is locked first: its events come in order, and all that are committed are read.
    """
    if not lock_version(connection, key):
        return 0
    pending = event_log.pending(connection, EventConsumer.INCIDENTS, key)
    if not pending:
        return 0
    first = start_of_region(connection, key, min(pending.values()))
    replace_derived(connection, key, first, derive_incidents(event_log.events_since(connection, key, first)))
    event_log.settle(connection, EventConsumer.INCIDENTS, key, max(pending))
    return len(pending)
