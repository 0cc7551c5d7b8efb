"""Laws of incidents on a real server: they follow from the events, however often and by whom these are taken."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert, select

from driftline.clock import naive_utc
from driftline.engine.results import State
from driftline.store.tables import (
    chunk_revisions,
    incident_comments,
    incident_events,
    incidents,
    pending_events,
    verdict_events,
    verdicts,
)
from driftline.store.version_key import VersionKey
from monitoring.incidents import event_log
from monitoring.incidents.derivation import derive_incidents
from monitoring.incidents.update import update_incidents
from monitoring.poll.results.verdict_events import EventConsumer
from tests.integration.monitoring.incidents.days import Days
from tests.integration.monitoring.world import FIRST, make_world
from tests.integration.simulated_kill import SimulatedKill, killed_at

DAY = timedelta(days=1)
TABLES = (
    incident_comments, incident_events, incidents, pending_events, verdict_events, verdicts, chunk_revisions,
)  # fmt: skip
STATES = (State.OK, State.OK, State.WARN, State.ALERT, State.PENDING_LABELS, State.NO_DATA)


@pytest.fixture
def key(engine: Engine, tmp_path: Path) -> VersionKey:
    version = make_world(engine, tmp_path).version
    return version.key


def stored(engine: Engine) -> list[dict[str, Any]]:
    """All incidents with their events, without numbers and what people added."""
    ignored = {"number", "acknowledged_at", "acknowledged_by"}
    with engine.connect() as connection:
        rows = connection.execute(select(incidents).order_by(incidents.c.first_chunk)).mappings().all()
        events = connection.execute(
            select(incident_events).order_by(incident_events.c.incident_number, incident_events.c.position)
        ).mappings().all()  # fmt: skip
    return [
        {name: value for name, value in row.items() if name not in ignored}
        | {"events": [dict(e) | {"incident_number": 0} for e in events if e["incident_number"] == row["number"]]}
        for row in rows
    ]


def clear(engine: Engine, *tables: Any) -> None:
    with engine.begin() as connection:
        for table in tables:
            connection.execute(delete(table))


def derived_at_once(engine: Engine, key: VersionKey) -> list[dict[str, Any]]:
    """Forget all incidents, and derive them in one pass over all events."""
    clear(engine, incident_events, incidents, pending_events)
    with engine.begin() as connection:
        for number in connection.execute(select(verdict_events.c.number)).scalars().all():
            row = {"consumer": "incidents", "model_number": key.model_number, "model_version": key.version}
            connection.execute(insert(pending_events).values(row | {"event_number": number}))
    update_incidents(engine)
    return stored(engine)


Steps = st.lists(
    st.tuples(
        st.integers(0, 7),
        st.sampled_from(STATES),
        st.sampled_from([True, True, True, False]),
        st.sampled_from([1, 1, 1, 1, 1, 3]),
        st.sampled_from(["nothing", "take", "die"]),
    ),
    min_size=1,
    max_size=25,
)


def die_while_taking(engine: Engine) -> None:
    """Take events, and die before they are settled."""
    with killed_at(event_log, "settle"), suppress(SimulatedKill):
        update_incidents(engine)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=Steps, detector=st.booleans())
def test_incidents_follow_from_the_events_alone(
    engine: Engine, key: VersionKey, steps: list[tuple[int, State, bool, int, str]], detector: bool
) -> None:
    clear(engine, *TABLES)
    days = Days(engine, key, detector=detector)
    for day, state, closed, length, expected in steps:
        days.verdict(day, state, closed=closed, days=length)
        if expected == "take":
            update_incidents(engine)
        elif expected == "die":
            die_while_taking(engine)
    update_incidents(engine)
    step_by_step = stored(engine)
    with engine.connect() as connection:
        events = event_log.events_since(connection, key, FIRST - DAY)
        of_incidents = pending_events.c.consumer == EventConsumer.INCIDENTS
        assert connection.execute(select(pending_events).where(of_incidents)).all() == []
    assert [naive_utc(incident.first) for incident in derive_incidents(events)] == [
        row["first_chunk"] for row in step_by_step
    ]
    assert derived_at_once(engine, key) == step_by_step


def test_several_processes_take_events_while_they_are_written(engine: Engine, key: VersionKey) -> None:
    days, finished, chance = Days(engine, key, detector=False), threading.Event(), random.Random(7)

    def keep_taking() -> None:
        while not finished.is_set():
            update_incidents(engine)

    with ThreadPoolExecutor(2) as pool:
        takers = [pool.submit(keep_taking), pool.submit(keep_taking)]
        try:
            for _ in range(60):
                days.verdict(chance.randrange(10), chance.choice(STATES))
        finally:
            finished.set()
        for taker in takers:
            taker.result()
    update_incidents(engine)
    together = stored(engine)
    assert together
    assert derived_at_once(engine, key) == together
