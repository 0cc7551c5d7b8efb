"""The verdicts of consecutive chunks, each derived from the chunks before it. No I/O here."""

from collections.abc import Iterator, Sequence

from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.results import Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.drift_rule import ObservedDrift, drift_of
from driftline.engine.verdicts.evidence_rule import evidence_of
from driftline.engine.verdicts.track_record import RECORD_WINDOW, track_records
from driftline.engine.verdicts.verdict import LOOKBACK, verdict_of


def consecutive_verdicts(
    spec: Spec, fitted: FittedEvidence | None, chunks: Sequence[ChunkFacts]
) -> Iterator[tuple[Verdict, ChunkEvidence | None]]:
    """Yield the verdicts of all chunks, which are in time order, each with its evidence.

    `fitted` is the evidence of their reference. Evidence is None where bounds alone decide about alerts.
    """
    drifts = list(_drifts(spec, chunks))
    evidence = evidence_of(spec, fitted, chunks, drifts)
    decided: list[ChunkFacts] = []
    closed: list[ChunkFacts] = []
    for chunk, drift in zip(_without_old_indexes(chunks, RECORD_WINDOW), drifts, strict=True):
        chunk_evidence = None if evidence is None else evidence.get(chunk.start, ChunkEvidence())
        records = track_records(spec, decided)
        yield verdict_of(spec, chunk, closed, records, evidence=chunk_evidence, drift=drift), chunk_evidence
        if chunk.is_decided(spec):
            decided = [*decided, chunk][-RECORD_WINDOW:]
        if chunk.closed:
            closed = [*closed, chunk][-LOOKBACK:]


def _drifts(spec: Spec, chunks: Sequence[ChunkFacts]) -> Iterator[ObservedDrift]:
    """Yield what drifted in each chunk."""
    closed: list[ChunkFacts] = []
    for chunk in _without_old_indexes(chunks, LOOKBACK):
        yield drift_of(spec, chunk, closed)
        if chunk.closed:
            closed = [*closed, chunk][-LOOKBACK:]


def _without_old_indexes(chunks: Sequence[ChunkFacts], window: int) -> Iterator[ChunkFacts]:
    """Yield the chunks, and clear the indexes of those before the window: memory should not follow their number."""
    for place, chunk in enumerate(chunks):
        yield chunk
        if place >= window:
            chunks[place - window].clear_indexes()
