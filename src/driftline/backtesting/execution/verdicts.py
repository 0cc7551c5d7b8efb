"""Verdicts over the chunks of a backtest, oldest first, as if each had just been closed. No I/O here."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from driftline.backtesting.execution.places import Places
from driftline.backtesting.input.instants import as_datetime
from driftline.engine.chunks import Chunk
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.results import Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.consecutive import consecutive_verdicts
from driftline.engine.verdicts.drift_rule import drift_reasons
from driftline.monitor import EvaluatedChunk, chunk_facts
from driftline.report.view import ChunkView

_AFTER = timedelta(microseconds=1)


def derive_verdicts(
    spec: Spec, fitted: FittedEvidence | None, places: Places, newest: int, chunks: Iterable[EvaluatedChunk]
) -> Iterator[ChunkView]:
    """Yield the chunks, which must come oldest first, with their verdicts; `newest` is the last event (microseconds).

    The clock of the model is the data's own: it stands just after the newest event.
    """
    now = as_datetime(newest) + _AFTER
    every = [chunk_facts(chunk, spec, now, complete=places.complete(chunk.chunk, newest)) for chunk in chunks]
    for facts, derived in zip(every, consecutive_verdicts(spec, fitted, every), strict=True):
        verdict = _with_partial(derived, Chunk(facts.start, facts.end), places)
        yield ChunkView(
            start=facts.start,
            end=facts.end,
            rows=facts.rows,
            labelled=facts.labelled,
            closed=facts.closed,
            labels_due=facts.labels_due,
            verdict=verdict,
            results=facts.results,
            drift=frozenset(drift_reasons(spec, facts)),
        )


def _with_partial(verdict: Verdict, chunk: Chunk, places: Places) -> Verdict:
    """Note where the first rows of a chunk belong to the reference."""
    if not places.partial(chunk):
        return verdict
    reason = "The reference ends inside this chunk: only the rest of it is judged, provisionally."
    return replace(verdict, reasons=(reason, *verdict.reasons))
