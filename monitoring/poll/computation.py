"""Compute one chunk in one transaction: read, evaluate, store, derive verdicts, settle the claim."""

import hashlib
import logging
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

import driftline
from driftline.clock import Clock
from driftline.engine.calendar import chunk_at, closing_time, next_due, verdict_reach
from driftline.engine.catalogue import Problem
from driftline.engine.chunking.chunks import Chunk, previous_chunk
from driftline.engine.evaluation.evaluate import count_scores, finish_chunk
from driftline.engine.evidence.scores.counts import Counts
from driftline.engine.results import Result
from driftline.engine.spec import Spec
from driftline.engine.sums.content_sum import ContentSum
from driftline.engine.verdicts.evidence_rule import alert_rule
from driftline.engine.verdicts.verdict import LOOKBACK
from driftline.store.model_numbers import lock_version, record_results
from driftline.store.polling import pending_chunks
from driftline.store.rows.archived.archive_objects import RowsRemoved
from driftline.store.versions.registry import Version
from monitoring.poll import uncomputed_labels
from monitoring.poll.chunk_summaries import ChunkSummaries, has_removals
from monitoring.poll.evidence_replay import EvidenceReplay
from monitoring.poll.monitored_version import MonitoredVersion, clock_of
from monitoring.poll.outcomes import ChunkOutcome
from monitoring.poll.results.revisions import Provenance, Revision, RevisionStore
from monitoring.poll.results.stored_evidence import EvidenceStore
from monitoring.poll.results.summary_store import SummaryDeleted
from monitoring.poll.results.verdicts import VerdictStore
from monitoring.poll.verdict_context import VerdictContext

log = logging.getLogger(__name__)

GROWTH_DIVISOR = 10
"""A scheduled poll skips an open chunk until it has grown by one row in this many."""


def compute(
    connection: Connection, monitored: MonitoredVersion, claim: pending_chunks.Claim, wall: Clock, *, scheduled: bool
) -> ChunkOutcome:
    """Compute a claimed chunk from the committed rows, and settle the claim; the caller commits.

    `wall` is the wall clock; the local `clock` is the present time by the model's clock, as an instant.
    Everything is read after the claim, so the result may include more than was claimed, never less. The clocks are
    read under the version's lock and decide whether the chunk has closed, and its verdict: no other poll can have
    stored a verdict by a later clock. Nothing is stored and the chunk stays queued in two cases: the spec was revised
    meanwhile (results by the older calendar would replace those that another poll stored by the newer one), or a
    deletion has deleted the chunk's summaries while they were read.
    """
    version = monitored.load(connection)
    clock = clock_of(connection, version, wall())
    chunk = chunk_at(version.spec, claim.start)
    if chunk.start != claim.start:
        return _requeue(connection, monitored, chunk, claim)
    store = RevisionStore(monitored.key)
    previous = store.current(connection, chunk.start)
    if scheduled and _hardly_grown(connection, version, previous, chunk, clock):
        return ChunkOutcome(chunk.start, left_open=True)
    try:
        summaries = ChunkSummaries.renew(connection, version, chunk)
        revision = _revision(version, summaries, wall())
        evaluation = _evaluate(version, previous, revision, summaries)
    except SummaryDeleted:
        return ChunkOutcome(claim.start)
    except RowsRemoved:
        return _keep_results(connection, monitored, chunk, clock)
    lock_version(connection, monitored.key)
    if monitored.load(connection).spec_revision != version.spec_revision:
        return ChunkOutcome(claim.start)
    now = wall()
    clock = clock_of(connection, version, now)
    revision = replace(revision, closed=clock >= closing_time(version.spec, chunk))
    summaries.save()
    _store(connection, store, previous, revision, evaluation)
    computed = evaluation is not None
    changed = _rederive_verdicts(connection, version, store, previous, chunk, clock, now)
    record_results(connection, monitored.key, now)
    pending_chunks.settle(connection, monitored.key, chunk.start, next_due(version.spec, chunk, clock))
    return ChunkOutcome(chunk.start, computed, computed and previous is not None and previous.closed, changed)


def _requeue(
    connection: Connection, monitored: MonitoredVersion, chunk: Chunk, claim: pending_chunks.Claim
) -> ChunkOutcome:
    """Queue the chunk that now contains the start of a claim, which an older calendar of the spec queued; settle it."""
    pending_chunks.settle(connection, monitored.key, claim.start, None)
    pending_chunks.queue(connection, monitored.key, {chunk.start})
    return ChunkOutcome(claim.start)


def _keep_results(connection: Connection, monitored: MonitoredVersion, chunk: Chunk, clock: datetime) -> ChunkOutcome:
    """Settle the claim of a chunk whose archived rows were removed by retention; its results stay unchanged."""
    log.warning(
        "%s version %d: rows of the chunk of %s were removed by its retention; its results stay.",
        monitored.name,
        monitored.key.version,
        chunk.start.isoformat(),
    )
    uncomputed_labels.settle(connection, monitored.key, uncomputed_labels.pending_of(connection, monitored.key, chunk))
    pending_chunks.settle(
        connection, monitored.key, chunk.start, next_due(monitored.load(connection).spec, chunk, clock)
    )
    return ChunkOutcome(chunk.start)


def _hardly_grown(
    connection: Connection, version: Version, previous: Revision | None, chunk: Chunk, clock: datetime
) -> bool:
    """Return whether a stored open chunk, computed under the current spec, has grown by less than a tenth.

    A chunk that has lost rows does not count: a deletion must not wait.
    """
    if previous is None or previous.closed or clock >= closing_time(version.spec, chunk):
        return False
    if previous.provenance.spec_revision != version.spec_revision or previous.chunk != chunk:
        return False
    rows = version.store.count(connection, version.number, chunk.start, chunk.end)
    return (rows - previous.rows) * GROWTH_DIVISOR < previous.rows and not has_removals(connection, version, chunk)


def _revision(version: Version, summaries: ChunkSummaries, now: datetime) -> Revision:
    """Return the revision of these rows, as an open one: whether the chunk has closed is decided under the lock."""
    features, labels = summaries.features.provenance(), summaries.labels.provenance()
    return Revision(
        number=1,
        chunk=summaries.chunk,
        closed=False,
        rows=labels.rows,
        labelled=labels.labelled,
        content_hash=_content_hash(version, features.content_sum, labels.content_sum),
        provenance=Provenance(
            version.spec_revision,
            version.reference_hash,
            driftline.__version__,
            tuple(sorted(features.sources | labels.sources)),
            labels.labels_as_of,
        ),
        computed_at=now,
    )


def _content_hash(version: Version, features: ContentSum, labels: ContentSum) -> str:
    """Hash everything that results depend on: rows and labels, the spec revision and the reference."""
    content = f"{version.spec_revision} {version.reference_hash} {features} {labels}"
    return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The results of a chunk, and the counts from which evidence is computed.

    With `labels_only`, `results` contains only those that labels can change; the others stay stored as they are.
    """

    results: tuple[Result, ...]
    counts: Counts | None
    labels_only: bool = False


def _evaluate(
    version: Version, previous: Revision | None, revision: Revision, summaries: ChunkSummaries
) -> Evaluation | None:
    """Evaluate the chunk, or return None if nothing has changed: the content is the same, or there never was any."""
    if previous is not None and (previous.content_hash, previous.chunk) == (revision.content_hash, revision.chunk):
        return None
    if not revision.rows:
        return None if previous is None else Evaluation((), None)
    labels = summaries.labels.summary()
    labels_only = not summaries.features.changed and _differs_in_labels_only(previous, revision)
    counts_need_features = version.spec.problem is Problem.REGRESSION  # its expected losses depend on features
    joined = summaries.features.summary().join(labels) if not labels_only or counts_need_features else labels
    summary = labels if labels_only else joined
    results = version.present(finish_chunk(version.fitted, version.spec, summary, revision.chunk))
    return Evaluation(results, count_scores(version.fitted, joined), labels_only)


def _differs_in_labels_only(previous: Revision | None, revision: Revision) -> bool:
    """Return whether a revision has the rows, spec revision, reference and code of the previous one."""
    if previous is None or (previous.chunk, previous.rows) != (revision.chunk, revision.rows):
        return False
    earlier, later = previous.provenance, revision.provenance
    return (earlier.spec_revision, earlier.reference_hash, earlier.code_version) == (
        later.spec_revision,
        later.reference_hash,
        later.code_version,
    )


def _store(
    connection: Connection,
    store: RevisionStore,
    previous: Revision | None,
    revision: Revision,
    evaluation: Evaluation | None,
) -> None:
    """Store changed results: in place if the chunk was open, else as a new revision; a closed chunk stays closed.

    A chunk of an older calendar with the same start is a different chunk: it is kept, and does not close this one.
    """
    if evaluation is not None:
        same = previous if previous is not None and previous.chunk == revision.chunk else None
        in_place = same is not None and not same.closed
        number = store.newest_number(connection, revision.chunk.start) + (not in_place)
        closed = revision.closed or (same is not None and same.closed)
        kept_from = previous.number if previous is not None and evaluation.labels_only else None
        new = replace(revision, number=number, closed=closed)
        store.write(connection, new, evaluation.results, kept_from=kept_from)
        EvidenceStore(store.key).write_counts(connection, revision.chunk.start, evaluation.counts)
    elif previous is not None and revision.closed and not previous.closed:
        store.close(connection, previous)


def _rederive_verdicts(
    connection: Connection,
    version: Version,
    store: RevisionStore,
    previous: Revision | None,
    chunk: Chunk,
    clock: datetime,
    now: datetime,
) -> int:
    """Derive the verdicts of the chunk and of the chunks that depend on it; return how many verdicts changed.

    Verdicts of later chunks read its results, and a replay may change the evidence of any chunk. A changed verdict
    replaces the stored one of an open chunk; for a closed chunk it is added, and the earlier one is kept.
    """
    context, replayed = _replayed_context(connection, version, store, chunk, clock)
    verdicts = VerdictStore(version.key)
    stored = verdicts.between(connection, min({chunk.start, *replayed}), max({chunk.start, *context.revisions}))
    changed = 0
    for start in sorted(start for start in context.revisions if start >= chunk.start or start in replayed):
        revision, current, verdict = context.revisions[start], stored.get(start), context.verdict(start)
        if current is not None and current.same_as(revision, verdict):
            continue
        was_open = not (previous.closed if previous is not None and start == chunk.start else revision.closed)
        in_place = current is not None and current.revision == revision.number and was_open
        verdicts.write(connection, revision, verdict, now, clock=clock, previous=current, in_place=in_place)
        changed += current is None or (current.revision, current.verdict) != (revision.number, verdict)
    return changed


def _replayed_context(
    connection: Connection, version: Version, store: RevisionStore, chunk: Chunk, clock: datetime
) -> tuple[VerdictContext, set[datetime]]:
    """Replay the evidence; return the facts around the changed chunk, and the chunks whose evidence has changed."""
    reach = chunk.start + verdict_reach(version.spec)
    context = _verdict_context(connection, store, version.spec, chunk, reach, clock)
    rule, fitted = alert_rule(version.spec), version.fitted.evidence
    if rule is None or fitted is None:
        return context, set()
    evidence, drifts = EvidenceStore(version.key, version.spec_revision), context.drifts(chunk.start)
    replayed = EvidenceReplay(connection, evidence, fitted, rule, version.spec, clock, drifts).run(chunk)
    first, last = min({chunk.start, *replayed}), max({reach, *replayed})
    if first < chunk.start or last > reach:
        context = _verdict_context(connection, store, version.spec, chunk_at(version.spec, first), last, clock)
    stored = EvidenceStore(version.key).between(connection, first, last)
    return replace(context, evidence={part.chunk.start: part.evidence for part in stored}), replayed


def _verdict_context(
    connection: Connection,
    store: RevisionStore,
    spec: Spec,
    chunk: Chunk,
    last: datetime,
    clock: datetime,
) -> VerdictContext:
    """Read the current facts around a chunk: all results since its lookback, and earlier ones of performance only."""
    first = chunk.start - verdict_reach(spec)
    near = chunk
    for _ in range(LOOKBACK):
        near = previous_chunk(near, spec.period, spec.zone)
    results = store.results_between(connection, first, near.start, performance_only=True)
    results |= store.results_between(connection, near.start, last)
    return VerdictContext(spec, clock, store.between(connection, first, last), results)
