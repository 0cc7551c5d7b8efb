"""Writes verdicts of daily chunks without computing them."""

import json
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select, update

from driftline.clock import naive_utc
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.results import Result, State, Verdict
from driftline.store.database import in_transaction
from driftline.store.tables import chunk_revisions, model_versions
from driftline.store.version_key import VersionKey
from monitoring.poll.results.revisions import Provenance, Revision, RevisionStore
from monitoring.poll.results.verdicts import VerdictStore
from tests.integration.monitoring.world import FIRST, NOW

DAY = timedelta(days=1)


class Days:
    """Writes verdicts of daily chunks as the poll does, each with a revision of its own."""

    def __init__(self, engine: Engine, key: VersionKey, *, detector: bool) -> None:
        self.engine, self.key, self.detector = engine, key, detector
        self.written = 0

    def verdict(
        self, day: int, state: State, *, closed: bool = True, days: int = 1, results: tuple[Result, ...] = ()
    ) -> None:
        self.written += 1
        in_transaction(self.engine, lambda connection: self._write(connection, day, state, closed, days, results))

    def _write(
        self, connection: Connection, day: int, state: State, closed: bool, days: int, results: tuple[Result, ...]
    ) -> None:
        """Write a revision and a verdict of a day as a poll would."""
        row = (model_versions.c.model_number == self.key.model_number) & (model_versions.c.version == self.key.version)
        connection.execute(select(model_versions.c.version).where(row).with_for_update())
        store, start = RevisionStore(self.key), FIRST + day * DAY
        number = store.newest_number(connection, start) + 1
        labels_as_of = FIRST + self.written * DAY
        origin = Provenance(1, "b" * 64, "1", (), labels_as_of)
        revision = Revision(number, Chunk(start, start + days * DAY), closed, 9, 9, "c" * 64, origin, NOW)
        store.write(connection, revision, results)
        if self.detector and closed:
            self._write_evidence(connection, start, state)
        verdict = Verdict(state, (f"{state} in {self.written}.",), provisional=not closed)
        now = NOW + timedelta(seconds=self.written)
        verdicts = VerdictStore(self.key)
        before = verdicts.between(connection, start, start).get(start)
        verdicts.write(connection, revision, verdict, now, clock=now, previous=before, in_place=False)

    def _write_evidence(self, connection: Connection, start: datetime, state: State) -> None:
        evidence = ChunkEvidence(alert=state is State.ALERT, incident_since=start if state is State.WARN else None)
        current = (chunk_revisions.c.chunk_start == naive_utc(start)) & chunk_revisions.c.current
        values = {"evidence": f'{{"scores": {_json(evidence)}}}', "detector": "{}"}
        connection.execute(update(chunk_revisions).where(current).values(values))


def _json(evidence: ChunkEvidence) -> str:
    return json.dumps(evidence.to_dict())
