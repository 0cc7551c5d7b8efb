"""Derives verdicts of chunks from the stored facts of these and of the preceding chunks. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from driftline.engine.calendar import closing_time, label_deadline, verdict_reach
from driftline.engine.chunking.chunks import Chunk, previous_chunk
from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.results import Result, Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts, last_closed
from driftline.engine.verdicts.drift_rule import drift_of
from driftline.engine.verdicts.track_record import track_records
from driftline.engine.verdicts.verdict import LOOKBACK, verdict_of
from monitoring.poll.results.revisions import Revision


@dataclass(frozen=True, slots=True)
class VerdictContext:
    """The stored chunks of one version around a change, by start, at one instant of the model's clock.

    `results` may omit everything but performance for chunks that only track records read. `evidence` is None where
    bounds alone decide about alerts.
    """

    spec: Spec
    clock: datetime
    revisions: Mapping[datetime, Revision]
    results: Mapping[datetime, tuple[Result, ...]]
    evidence: Mapping[datetime, ChunkEvidence] | None = None

    def verdict(self, start: datetime) -> Verdict:
        """Derive the verdict of the stored chunk that starts at `start`."""
        facts = self._facts(self.revisions[start].chunk)
        records = track_records(self.spec, self._earlier_facts(start))
        evidence = None if self.evidence is None else self.evidence.get(start, ChunkEvidence())
        return verdict_of(self.spec, facts, self._preceding(facts), records, evidence=evidence)

    def drifts(self, start: datetime) -> dict[datetime, bool]:
        """Return by start whether drift lasts, for the chunk at `start` and the later ones that its drift affects."""
        starts = sorted(at for at in self.revisions if at >= start)[: LOOKBACK + 1]
        facts = [self._facts(self.revisions[at].chunk) for at in starts]
        preceding = (last_closed(self._preceding(f), f.start, LOOKBACK) for f in facts)
        return {f.start: bool(drift_of(self.spec, f, p).lasting) for f, p in zip(facts, preceding, strict=True)}

    def _preceding(self, facts: ChunkFacts) -> list[ChunkFacts]:
        """Return the chunks just before, by the calendar; one without rows is included because it breaks a run."""
        preceding, chunk = [], Chunk(facts.start, facts.end)
        for _ in range(LOOKBACK):
            chunk = previous_chunk(chunk, self.spec.period, self.spec.zone)
            preceding.append(self._facts(chunk))
        return preceding

    def _earlier_facts(self, start: datetime) -> list[ChunkFacts]:
        earliest = start - verdict_reach(self.spec)
        return [self._facts(r.chunk) for at, r in self.revisions.items() if earliest <= at < start]

    def _facts(self, chunk: Chunk) -> ChunkFacts:
        revision, results = self.revisions.get(chunk.start), self.results.get(chunk.start, ())
        return stored_facts(self.spec, self.clock, chunk, revision, results)


def stored_facts(
    spec: Spec,
    clock: datetime,
    chunk: Chunk,
    revision: Revision | None,
    results: tuple[Result, ...],
    counts: Counts | None = None,
) -> ChunkFacts:
    """Return the facts of a chunk from its stored revision; those of a chunk without rows if there is none."""
    labels_due = clock >= label_deadline(spec, chunk)
    if revision is None:
        return ChunkFacts(chunk.start, chunk.end, clock >= closing_time(spec, chunk), labels_due, 0, 0)
    rows, labelled = revision.rows, revision.labelled
    return ChunkFacts(chunk.start, chunk.end, revision.closed, labels_due, rows, labelled, results, counts)
