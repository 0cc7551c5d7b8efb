"""What Driftline says of a stream, under its default policy."""

import pandas as pd

from benchmarks.detection.said import Said
from benchmarks.detection.streams import Stream
from driftline.engine.chunk_facts import ChunkFacts
from driftline.engine.chunks import Chunk, by_chunk
from driftline.engine.evaluate import evaluate_chunk
from driftline.engine.reference import FittedReference, fit_reference
from driftline.engine.results import State, Verdict
from driftline.engine.spec import ModelSpec
from driftline.engine.track_record import track_records
from driftline.engine.verdict import verdict_of


def verdicts(stream: Stream, spec: ModelSpec) -> list[Verdict]:
    """Derive the verdict of each day, every label in."""
    fitted = fit_reference(stream.reference, spec)
    facts: list[ChunkFacts] = []
    found = []
    for chunk, rows in by_chunk(stream.analysis, spec.period, spec.zone):
        facts.append(_facts(fitted, spec, chunk, rows))
        found.append(verdict_of(spec, facts[-1], facts[:-1], track_records(spec, facts[:-1])))
    return found


def alerts(stream: Stream) -> list[Said]:
    """Take an alert for an alarm."""
    return [Said(v.state is State.ALERT, frozenset(v.drifted)) for v in verdicts(stream, stream.spec)]


def warnings(stream: Stream) -> list[Said]:
    """Take a warning for an alarm too."""
    return [Said(v.state in {State.WARN, State.ALERT}, frozenset(v.drifted)) for v in verdicts(stream, stream.spec)]


def _facts(fitted: FittedReference, spec: ModelSpec, chunk: Chunk, rows: pd.DataFrame) -> ChunkFacts:
    results = evaluate_chunk(fitted, spec, rows)
    return ChunkFacts(
        chunk.start, chunk.end, closed=True, labels_due=True, rows=len(rows), labelled=len(rows), results=results
    )
