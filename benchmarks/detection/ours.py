"""What Driftline says of a stream, under its default policy."""

from collections.abc import Sequence

import pandas as pd

from benchmarks.detection.said import Said, Voices
from benchmarks.detection.stream import Stream
from driftline.engine.chunks import Chunk, by_chunk
from driftline.engine.evaluate import evaluate_chunk
from driftline.engine.reference import FittedReference, fit_reference
from driftline.engine.results import State, Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.track_record import track_records
from driftline.engine.verdicts.verdict import verdict_of


def driftline(streams: Sequence[Stream]) -> list[Voices]:
    """Take an alert for an alarm, and beside it a warning too."""
    fitted = fit_reference(streams[0].reference, streams[0].spec)
    return [_voices(verdicts(fitted, stream)) for stream in streams]


def verdicts(fitted: FittedReference, stream: Stream) -> list[Verdict]:
    """Derive the verdict of each chunk, every label in."""
    spec = stream.spec
    facts: list[ChunkFacts] = []
    found = []
    for chunk, rows in by_chunk(stream.analysis, spec.period, spec.zone):
        facts.append(_facts(fitted, spec, chunk, rows))
        found.append(verdict_of(spec, facts[-1], facts[:-1], track_records(spec, facts[:-1])))
    return found


def _voices(found: Sequence[Verdict]) -> Voices:
    return {
        "Driftline: alert": [Said(v.state is State.ALERT, frozenset(v.drifted)) for v in found],
        "Driftline: warning or alert": [
            Said(v.state in {State.WARN, State.ALERT}, frozenset(v.drifted)) for v in found
        ],
    }


def _facts(fitted: FittedReference, spec: Spec, chunk: Chunk, rows: pd.DataFrame) -> ChunkFacts:
    results = evaluate_chunk(fitted, spec, rows, chunk)
    return ChunkFacts(
        chunk.start, chunk.end, closed=True, labels_due=True, rows=len(rows), labelled=len(rows), results=results
    )
