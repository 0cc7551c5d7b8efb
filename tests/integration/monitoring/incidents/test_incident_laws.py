"""Laws of incidents on a real server: they follow from the events, however often and by whom these are taken."""

import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, delete, insert, select, update

from driftline.clock import naive_utc
from driftline.engine.chunks import Chunk
from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.results import State, Verdict
from driftline.store.database import in_transaction
from driftline.store.tables import (
    chunk_revisions,
    incident_comments,
    incident_events,
    incidents,
    model_versions,
    pending_events,
    verdict_events,
    verdicts,
)
from driftline.store.version_key import VersionKey
from monitoring.incidents import event_log
from monitoring.incidents.derivation import derive_incidents
from monitoring.incidents.update import update_incidents
from monitoring.poll.revisions import Provenance, Revision, RevisionStore
from monitoring.poll.verdicts import VerdictStore
from tests.integration.monitoring.world import FIRST, NOW, make_world

DAY = timedelta(days=1)
TABLES = (
    incident_comments, incident_events, incidents, pending_events, verdict_events, verdicts, chunk_revisions,
)  # fmt: skip
STATES = (State.OK, State.OK, State.WARN, State.ALERT, State.PENDING_LABELS, State.NO_DATA)


@pytest.fixture
def key(engine: Engine, tmp_path: Path) -> VersionKey:
    version = make_world(engine, tmp_path).version
    return VersionKey(version.model_number, version.number)


class Days:
    """Writes verdicts of daily chunks as the poll does, each with a revision of its own."""

    def __init__(self, engine: Engine, key: VersionKey, *, detector: bool) -> None:
        self.engine, self.key, self.detector = engine, key, detector
        self.written = 0

    def verdict(self, day: int, state: State, *, closed: bool = True, days: int = 1) -> None:
        self.written += 1
        in_transaction(self.engine, lambda connection: self._write(connection, day, state, closed, days))

    def _write(self, connection: Connection, day: int, state: State, closed: bool, days: int) -> None:
        row = (model_versions.c.model_number == self.key.model_number) & (model_versions.c.version == self.key.version)
        connection.execute(select(model_versions.c.version).where(row).with_for_update())
        store, start = RevisionStore(self.key), FIRST + day * DAY
        number = store.newest_number(connection, start) + 1
        labels_as_of = FIRST + self.written * DAY
        origin = Provenance(1, "b" * 64, "1", (), labels_as_of)
        revision = Revision(number, Chunk(start, start + days * DAY), closed, 9, 9, "c" * 64, origin, NOW)
        store.write(connection, revision, ())
        if self.detector and closed:
            self._write_evidence(connection, start, state)
        verdict = Verdict(state, (f"{state} in {self.written}.",), provisional=not closed)
        now = NOW + timedelta(seconds=self.written)
        VerdictStore(self.key).write(connection, revision, verdict, now, clock=now, replaced=None)

    def _write_evidence(self, connection: Connection, start: datetime, state: State) -> None:
        note = ChunkEvidence(alert=state is State.ALERT, incident=start if state is State.WARN else None)
        current = (chunk_revisions.c.chunk_start == naive_utc(start)) & chunk_revisions.c.current
        values = {"evidence": f'{{"scores": {_json(note)}}}', "detector": "{}"}
        connection.execute(update(chunk_revisions).where(current).values(values))


def _json(note: ChunkEvidence) -> str:
    return json.dumps(note.to_dict())


def stored(engine: Engine) -> list[dict[str, Any]]:
    """All incidents with their events, without numbers and what people added."""
    own = {"number", "acknowledged_at", "acknowledged_by"}
    with engine.connect() as connection:
        rows = connection.execute(select(incidents).order_by(incidents.c.first_chunk)).mappings().all()
        events = connection.execute(
            select(incident_events).order_by(incident_events.c.incident_number, incident_events.c.position)
        ).mappings().all()  # fmt: skip
    return [
        {name: value for name, value in row.items() if name not in own}
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


class Killed(BaseException):
    """Stands for the end of the process: nothing catches it."""


def die_while_taking(engine: Engine) -> None:
    """Take events, and die before they are settled."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_log, "settle", _die)
        with suppress(Killed):
            update_incidents(engine)


def _die(*_: object) -> None:
    raise Killed


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=Steps, detector=st.booleans())
def test_incidents_follow_from_the_events_alone(
    engine: Engine, key: VersionKey, steps: list[tuple[int, State, bool, int, str]], detector: bool
) -> None:
    clear(engine, *TABLES)
    days = Days(engine, key, detector=detector)
    for day, state, closed, length, then in steps:
        days.verdict(day, state, closed=closed, days=length)
        if then == "take":
            update_incidents(engine)
        elif then == "die":
            die_while_taking(engine)
    update_incidents(engine)
    step_by_step = stored(engine)
    with engine.connect() as connection:
        events = event_log.events_since(connection, key, FIRST - DAY)
        assert connection.execute(select(pending_events)).all() == []
    assert [naive_utc(incident.first) for incident in derive_incidents(events)] == [
        row["first_chunk"] for row in step_by_step
    ]
    assert derived_at_once(engine, key) == step_by_step


def test_several_processes_take_events_while_they_are_written(engine: Engine, key: VersionKey) -> None:
    days, done, chance = Days(engine, key, detector=False), threading.Event(), random.Random(7)

    def keep_taking() -> None:
        while not done.is_set():
            update_incidents(engine)

    with ThreadPoolExecutor(2) as pool:
        takers = [pool.submit(keep_taking), pool.submit(keep_taking)]
        try:
            for _ in range(60):
                days.verdict(chance.randrange(10), chance.choice(STATES))
        finally:
            done.set()
        for taker in takers:
            taker.result()
    update_incidents(engine)
    together = stored(engine)
    assert together
    assert derived_at_once(engine, key) == together
