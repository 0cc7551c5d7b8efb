"""What past verdicts would be under another spec, derived from the stored summaries of chunks; nothing is written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from driftline.engine.chunking.chunks import Chunk, next_chunk
from driftline.engine.computation.fitted_methods import SummaryContent
from driftline.engine.evaluation.evaluate import count_scores, finish_chunk
from driftline.engine.evaluation.reference import FittedReference
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.results import Result, Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.consecutive import consecutive_verdicts
from driftline.store.versions.registry import Version
from monitoring.poll.results.revisions import Revision, RevisionStore
from monitoring.poll.results.stored_evidence import EvidenceStore
from monitoring.poll.results.summary_store import SummaryStore
from monitoring.poll.results.verdicts import VerdictStore
from monitoring.poll.verdict_context import stored_facts

PREVIEW_CHUNKS = 60
"""How many of the newest chunks are computed again; the detector reads the counts of all chunks before them."""
PREVIEWED = (
    "alert_budget",
    "alert_on",
    "drift_alerts",
    "minimum_rows",
    "minimum_class_rows",
    "label_delay",
    "label_coverage",
    "threshold_overrides",
)
"""The fields of a spec that change verdicts, and neither the calendar nor what is computed."""


@dataclass(frozen=True, slots=True)
class PreviewedChunk:
    """A chunk with its verdict as it is, and as it would be; `computed` where its results were computed again."""

    chunk: Chunk
    before: Verdict
    after: Verdict
    computed: bool

    @property
    def differs(self) -> bool:
        """Whether its state would be another one."""
        return self.before.state is not self.after.state


@dataclass(frozen=True, slots=True)
class SpecPreview:
    """The newest chunks under another spec, oldest first."""

    version: Version
    spec: Spec
    chunks: tuple[PreviewedChunk, ...]

    @property
    def differing(self) -> tuple[PreviewedChunk, ...]:
        """The chunks whose state would be another one, the newest first."""
        return tuple(chunk for chunk in reversed(self.chunks) if chunk.differs)

    @property
    def not_computed(self) -> int:
        """How many chunks are shown with their stored results, because no summary of them is stored."""
        return sum(not chunk.computed for chunk in self.chunks)


def read_preview(
    connection: Connection, version: Version, spec: Spec, fitted: FittedReference, clock: datetime
) -> SpecPreview:
    """Return the newest chunks of a version under another spec, which was `fitted` to its reference.

    `clock` is the model's. The code is that of a poll and a backtest, so a poll after such a revision derives the same
    verdicts, as long as no rows or labels come in between.
    """
    store = RevisionStore(version.key)
    ends = store.ends(connection)
    if ends is None:
        return SpecPreview(version, spec, ())
    revisions = store.between(connection, *ends)
    newest = sorted(revisions)[-PREVIEW_CHUNKS:]
    counts = {stored.chunk.start: stored.counts for stored in EvidenceStore(version.key).between(connection, None)}
    computed = dict(_computed(connection, version, spec, fitted, [revisions[start].chunk for start in newest]))
    stored = store.results_between(connection, newest[0], newest[-1]) if len(computed) < len(newest) else {}
    results = stored | {start: evaluated for start, (evaluated, _) in computed.items()}
    counts |= {start: counted for start, (_, counted) in computed.items() if counted is not None}
    facts = list(_facts(spec, clock, revisions, results, counts))
    derived = consecutive_verdicts(spec, fitted.evidence, facts)
    verdicts = {chunk.start: verdict for chunk, (verdict, _) in zip(facts, derived, strict=True)}
    stored_verdicts = VerdictStore(version.key).between(connection, newest[0], newest[-1])
    return SpecPreview(
        version,
        spec,
        tuple(
            PreviewedChunk(revisions[start].chunk, stored_verdicts[start].verdict, verdicts[start], start in computed)
            for start in newest
            if start in stored_verdicts
        ),
    )


def _computed(
    connection: Connection, version: Version, spec: Spec, fitted: FittedReference, chunks: list[Chunk]
) -> Iterator[tuple[datetime, tuple[tuple[Result, ...], Counts | None]]]:
    """Yield by start the results and counts of the chunks whose state is stored."""
    for chunk in chunks:
        store = SummaryStore(connection, version.key, version.spec_revision, chunk)
        features, labels = store.merged(SummaryContent.FEATURES), store.merged(SummaryContent.LABELS)
        if features is not None and labels is not None:
            joined = features.join(labels)
            results = version.present(finish_chunk(fitted, spec, joined, chunk))
            yield chunk.start, (results, count_scores(fitted, joined))


def _facts(
    spec: Spec,
    clock: datetime,
    revisions: Mapping[datetime, Revision],
    results: Mapping[datetime, tuple[Result, ...]],
    counts: Mapping[datetime, Counts],
) -> Iterator[ChunkFacts]:
    """Yield the facts of all chunks of the calendar, oldest first; one without rows breaks a run."""
    chunk, last = revisions[min(revisions)].chunk, max(revisions)
    while chunk.start <= last:
        start = chunk.start
        yield stored_facts(spec, clock, chunk, revisions.get(start), results.get(start, ()), counts.get(start))
        chunk = next_chunk(chunk, spec.period, spec.zone)
