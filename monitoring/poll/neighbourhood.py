"""A chunk among its neighbours: the facts that verdicts read, and the verdicts that a change may turn. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from driftline.engine.chunks import Chunk, previous_chunk
from driftline.engine.results import Result, Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.track_record import track_records
from driftline.engine.verdicts.verdict import LOOKBACK, verdict_of
from monitoring.poll.revisions import Revision
from monitoring.poll.watched import closing, label_deadline, reach


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Stored chunks of one version around a change, by start, at one instant of the model's clock.

    `results` may lack those of chunks that only track records read, apart from their performance.
    """

    spec: Spec
    clock: datetime
    revisions: Mapping[datetime, Revision]
    results: Mapping[datetime, tuple[Result, ...]]

    def verdict(self, start: datetime) -> Verdict:
        """Derive the verdict of the stored chunk that starts at `start`."""
        chunk = self._facts(self.revisions[start].chunk)
        records = track_records(self.spec, self._record_of(start))
        return verdict_of(self.spec, chunk, self._preceding(chunk), records)

    def _preceding(self, chunk: ChunkFacts) -> list[ChunkFacts]:
        """The chunks just before by the calendar; one without rows is among them, since it breaks a run."""
        preceding, at = [], Chunk(chunk.start, chunk.end)
        for _ in range(LOOKBACK):
            at = previous_chunk(at, self.spec.period, self.spec.zone)
            preceding.append(self._facts(at))
        return preceding

    def _record_of(self, start: datetime) -> list[ChunkFacts]:
        earliest = start - reach(self.spec)
        return [self._facts(r.chunk) for at, r in self.revisions.items() if earliest <= at < start]

    def _facts(self, chunk: Chunk) -> ChunkFacts:
        stored = self.revisions.get(chunk.start)
        labels_due = self.clock >= label_deadline(self.spec, chunk)
        if stored is None:
            return ChunkFacts(chunk.start, chunk.end, self.clock >= closing(self.spec, chunk), labels_due, 0, 0)
        found = self.results.get(chunk.start, ())
        return ChunkFacts(chunk.start, chunk.end, stored.closed, labels_due, stored.rows, stored.labelled, found)
