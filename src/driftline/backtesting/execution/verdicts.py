"""Derives the verdicts of a backtest's chunks, oldest first, as if each had just closed. No I/O here."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from driftline.backtesting.execution.assignment import ChunkAssignment
from driftline.backtesting.input.values.instants import as_datetime
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evidence.fitted import FittedEvidence
from driftline.engine.results import Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.consecutive import consecutive_verdicts
from driftline.engine.verdicts.drift_rule import drift_reasons
from driftline.monitor import EvaluatedChunk, chunk_facts
from driftline.report.view import ChunkView

_AFTER = timedelta(microseconds=1)


def derive_verdicts(
    spec: Spec,
    fitted: FittedEvidence | None,
    assignment: ChunkAssignment,
    newest: int,
    chunks: Iterable[EvaluatedChunk],
) -> Iterator[ChunkView]:
    """Yield the chunks with their verdicts; they must be sorted, and `newest` is the last event (microseconds).

    The model's clock follows the data: it is just after the newest event.
    """
    now = as_datetime(newest) + _AFTER
    all_facts = [
        chunk_facts(chunk, spec, now, complete=assignment.is_complete(chunk.chunk, newest)) for chunk in chunks
    ]
    for facts, (derived, evidence) in zip(all_facts, consecutive_verdicts(spec, fitted, all_facts), strict=True):
        verdict = _mark_partial(derived, Chunk(facts.start, facts.end), assignment)
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
            evidence=evidence,
        )


def _mark_partial(verdict: Verdict, chunk: Chunk, assignment: ChunkAssignment) -> Verdict:
    """Return the verdict, with an additional reason where the first rows of the chunk belong to the reference."""
    if not assignment.is_partial(chunk):
        return verdict
    reason = "The reference ends inside this chunk: only its later rows are evaluated, and the verdict is provisional."
    return replace(verdict, reasons=(reason, *verdict.reasons))
