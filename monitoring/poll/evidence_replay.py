"""Replays the evidence from a changed chunk on, until a replay changes nothing any more.

The detector reads chunks at ticks: the instants when a chunk closes, or when its labels are due
(`driftline.engine.evidence.replay`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from driftline.engine.calendar import LONGEST_CHUNK, label_deadline
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evidence.chunk_evidence import AlertRule, DetectorInput
from driftline.engine.evidence.families import Stage
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.evidence.replay import DetectorHistory, Replay, is_between, replay
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.evidence_rule import detector_input
from monitoring.poll.results.stored_evidence import EvidenceStore, StoredEvidence

PAGE_CHUNKS = 200
"""How many chunks are replayed at a time; the replay ends after a page that did not change the detector's state."""


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceReplay:
    """Replays the evidence of one model version page by page, and stores what changes.

    `drifts` says by start whether drift lasts, for the chunks where that may have changed; the store has the others.
    """

    connection: Connection
    store: EvidenceStore
    fitted: FittedEvidence
    rule: AlertRule
    spec: Spec
    clock: datetime
    drifts: Mapping[datetime, bool]

    def run(self, chunk: Chunk) -> set[datetime]:
        """Replay from `chunk` on; return the starts of chunks whose evidence has changed."""
        changed: set[datetime] = set()
        earlier = self.store.last_before(self.connection, chunk.start)
        last_tick = self._last_tick(max({chunk.start, *self.drifts}))
        while True:
            history, after = self._resume(earlier)
            page, last = self._page(None if earlier is None else earlier.chunk.start, after)
            until = None if last is None else self._input(last).closes_at
            inputs = [self._input(stored) for stored in page]
            result = replay(self.fitted, self.rule, inputs, history, after=after, until=until)
            pairs = zip(page, inputs, strict=True)
            renewed = [_renewed(stored, chunk_input, result, after, until) for stored, chunk_input in pairs]
            different = [new for new, old in zip(renewed, page, strict=True) if not new.same_as(old)]
            self.store.write(self.connection, different)
            changed |= {new.chunk.start for new, old in zip(renewed, page, strict=True) if new.by_stage != old.by_stage}
            if last is None or (until and until >= last_tick and renewed[-1].detector == last.detector):
                return changed
            earlier = renewed[-1]

    def _last_tick(self, start: datetime) -> datetime:
        """Return an instant that no tick of a chunk that starts at `start` is later than."""
        return start + LONGEST_CHUNK[self.spec.period] + max(self.spec.label_delay, self.spec.allowed_lateness)

    def _resume(self, earlier: StoredEvidence | None) -> tuple[DetectorHistory | None, datetime | None]:
        """Return the detector's history after a chunk, and the last tick that this history contains."""
        if earlier is None or earlier.detector is None:
            return None, None
        return DetectorHistory.from_dict(dict(earlier.detector), self.fitted), self._input(earlier).closes_at

    def _page(
        self, start: datetime | None, after: datetime | None
    ) -> tuple[list[StoredEvidence], StoredEvidence | None]:
        """Return the chunks with ticks later than `after`, up to `PAGE_CHUNKS` of them starting later than `start`.

        The second value is the last of these chunks, or None where no chunk comes after them.
        """
        later = self.store.between(self.connection, start, limit=PAGE_CHUNKS + 2)
        later = [stored for stored in later if start is None or stored.chunk.start > start]
        last = later[PAGE_CHUNKS - 1] if len(later) > PAGE_CHUNKS and later[PAGE_CHUNKS - 1].closed else None
        page = later[:PAGE_CHUNKS] if last else later
        if start is None or after is None:
            return page, last
        reach = self.spec.label_delay + LONGEST_CHUNK[self.spec.period]
        earlier = self.store.between(self.connection, start - reach, start)
        return [stored for stored in earlier if self._input(stored).labels_at > after] + page, last

    def _input(self, stored: StoredEvidence) -> DetectorInput:
        """Return the input of the detector for a chunk whose counts are stored."""
        facts = ChunkFacts(
            stored.chunk.start,
            stored.chunk.end,
            stored.closed,
            self.clock >= label_deadline(self.spec, stored.chunk),
            stored.rows,
            stored.labelled,
            score_counts=stored.counts,
        )
        drifting = self.drifts.get(stored.chunk.start, stored.drift_lasts)
        chunk_input = detector_input(self.spec, facts, drifting=drifting)
        assert chunk_input is not None  # noqa: S101  (it has counts)
        return chunk_input


def _renewed(
    stored: StoredEvidence, chunk_input: DetectorInput, result: Replay, after: datetime | None, until: datetime | None
) -> StoredEvidence:
    """Return a chunk with the evidence of the replay; the evidence of stages outside the replay is kept."""
    by_stage = dict(stored.by_stage)
    for stage, tick in ((Stage.SCORES, chunk_input.closes_at), (Stage.LABELS, chunk_input.labels_at)):
        if is_between(tick, after, until):
            by_stage.pop(stage, None)
            if (stored.chunk.start, stage) in result.by_stage:
                by_stage[stage] = result.by_stage[stored.chunk.start, stage]
    detector = stored.detector
    if is_between(chunk_input.closes_at, after, until):
        history = result.histories.get(stored.chunk.start)
        detector = None if history is None else history.to_dict()
    return replace(stored, drift_lasts=chunk_input.drifting, by_stage=by_stage, detector=detector)
