"""Driftline's alarms on a stream, with its default policy."""

from collections.abc import Sequence

import pandas as pd

from benchmarks.detection.alarms import AlarmsByLevel, ChunkAlarm
from benchmarks.detection.stream import Stream
from driftline.engine.chunks import Chunk, by_chunk
from driftline.engine.evaluate import evaluate_chunk
from driftline.engine.reference import FittedReference, fit_reference
from driftline.engine.results import State, Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.track_record import track_records
from driftline.engine.verdicts.verdict import verdict_of


def driftline(streams: Sequence[Stream]) -> list[AlarmsByLevel]:
    """Return alarms that are alerts, and alarms that are warnings or alerts."""
    fitted = fit_reference(streams[0].reference, streams[0].spec)
    return [_by_level(verdicts(fitted, stream)) for stream in streams]


def verdicts(fitted: FittedReference, stream: Stream) -> list[Verdict]:
    """Derive the verdict of each chunk, with all labels."""
    spec = stream.spec
    facts: list[ChunkFacts] = []
    derived = []
    for chunk, rows in by_chunk(stream.analysis, spec.period, spec.zone):
        facts.append(_facts(fitted, spec, chunk, rows))
        derived.append(verdict_of(spec, facts[-1], facts[:-1], track_records(spec, facts[:-1])))
    return derived


def _by_level(chunks: Sequence[Verdict]) -> AlarmsByLevel:
    return {
        "Driftline: alert": [ChunkAlarm(v.state is State.ALERT, frozenset(v.drifted)) for v in chunks],
        "Driftline: warning or alert": [
            ChunkAlarm(v.state in {State.WARN, State.ALERT}, frozenset(v.drifted)) for v in chunks
        ],
    }


def _facts(fitted: FittedReference, spec: Spec, chunk: Chunk, rows: pd.DataFrame) -> ChunkFacts:
    results = evaluate_chunk(fitted, spec, rows, chunk)
    return ChunkFacts(
        chunk.start, chunk.end, closed=True, labels_due=True, rows=len(rows), labelled=len(rows), results=results
    )
