"""One chunk, computed in one transaction: claim, read, evaluate, store, say, settle."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd
from sqlalchemy import Connection

import driftline
from driftline.clock import Clock
from driftline.engine.chunks import Chunk, previous_chunk
from driftline.engine.evaluate import evaluate_chunk
from driftline.engine.reference import content_hash
from driftline.engine.results import LABEL, Result
from driftline.engine.verdicts.verdict import LOOKBACK
from driftline.store.registry import Version, queue
from monitoring.poll import pending
from monitoring.poll.neighbourhood import Neighbourhood
from monitoring.poll.revisions import Provenance, Revision, RevisionStore
from monitoring.poll.verdicts import VerdictStore
from monitoring.poll.watched import Watched, chunk_at, closing, next_due, reach

GROWTH = 10
"""The scheduled poll leaves an open chunk alone until it grew by one in this many rows."""


@dataclass(frozen=True, slots=True)
class ChunkOutcome:
    """What became of one claimed chunk: `computed` anew or not, as a new `revision` of a closed chunk or not.

    `verdicts` counts the verdicts that turned, its own and later ones; `failure` says why nothing was stored.
    """

    start: datetime
    computed: bool = False
    revised: bool = False
    verdicts: int = 0
    left_open: bool = False
    failure: str | None = None


def compute(
    connection: Connection, watched: Watched, claim: pending.Claim, wall: Clock, *, scheduled: bool
) -> ChunkOutcome:
    """Compute a claimed chunk from what is committed by now, and let the claim go; the caller commits.

    Everything is read after the claim: it may show more than was claimed, never less. What is said follows from the
    clocks as they are under the version's lock: nobody who looked later has spoken yet.
    """
    version = watched.version(connection)
    clock = watched.clock(connection, wall())
    chunk = chunk_at(version.spec, claim.start)
    if chunk.start != claim.start:
        return _requeue(connection, watched, chunk, claim)
    store = RevisionStore(watched.key)
    before = store.current(connection, chunk.start)
    if scheduled and _hardly_grown(connection, version, before, chunk, clock):
        return ChunkOutcome(chunk.start, left_open=True)
    frame = version.store.read(connection, version.number, chunk.start, chunk.end)
    found = _revision(version, chunk, frame, wall())
    results = _evaluate(version, before, found, frame)
    watched.lock(connection)
    now = wall()
    clock = watched.clock(connection, now)
    found = replace(found, closed=clock >= closing(version.spec, chunk))
    _store(connection, store, before, found, results)
    changed = results is not None
    turned = _say_anew(connection, watched, store, before, chunk, clock, now)
    pending.settle(connection, watched.key, chunk.start, next_due(version.spec, chunk, clock))
    return ChunkOutcome(chunk.start, changed, changed and before is not None and before.closed, turned)


def _requeue(connection: Connection, watched: Watched, chunk: Chunk, claim: pending.Claim) -> ChunkOutcome:
    """A start that an older spec's calendar gave: the chunk that holds it now is pending in its place."""
    pending.settle(connection, watched.key, claim.start, None)
    queue(connection, watched.key.model_number, watched.key.version, {chunk.start})
    return ChunkOutcome(claim.start)


def _hardly_grown(
    connection: Connection, version: Version, before: Revision | None, chunk: Chunk, clock: datetime
) -> bool:
    if before is None or before.closed or clock >= closing(version.spec, chunk):
        return False
    if before.provenance.spec_revision != version.spec_revision or before.chunk != chunk:
        return False
    rows = version.store.count(connection, version.number, chunk.start, chunk.end)
    return (rows - before.rows) * GROWTH < before.rows


def _revision(version: Version, chunk: Chunk, frame: pd.DataFrame, now: datetime) -> Revision:
    """Describe what was read; whether the chunk has closed is known under the lock."""
    labelled = frame[LABEL].notna()
    known = pd.to_datetime(frame["label_known_at"], utc=True)
    batches = {*frame["batch_number"], *frame.loc[labelled, "label_batch_number"]}
    return Revision(
        number=1,
        chunk=chunk,
        closed=False,
        rows=len(frame),
        labelled=int(labelled.sum()),
        content_hash=_content(version, frame),
        provenance=Provenance(
            version.spec_revision,
            version.reference_hash,
            driftline.__version__,
            tuple(sorted(int(number) for number in batches)),
            known.max().to_pydatetime() if labelled.any() else None,
        ),
        computed_at=now,
    )


def _content(version: Version, frame: pd.DataFrame) -> str:
    """Hash all that results depend on: rows and labels, the spec revision, the reference."""
    digest = hashlib.sha256(f"{version.spec_revision} {version.reference_hash}\n".encode())
    digest.update(content_hash(frame, version.spec).encode())
    return digest.hexdigest()


def _evaluate(
    version: Version, before: Revision | None, found: Revision, frame: pd.DataFrame
) -> tuple[Result, ...] | None:
    """Compute the results, or give None where nothing is new: the content is the same, or there never was any."""
    if before is None:
        return None if frame.empty else evaluate_chunk(version.fitted, version.spec, frame, found.chunk)
    if (before.content_hash, before.chunk) == (found.content_hash, found.chunk):
        return None
    return () if frame.empty else evaluate_chunk(version.fitted, version.spec, frame, found.chunk)


def _store(
    connection: Connection,
    store: RevisionStore,
    before: Revision | None,
    found: Revision,
    results: tuple[Result, ...] | None,
) -> None:
    """Store what is new: in place while the chunk was open, as a new revision after; a chunk that closed stays so.

    What an older calendar said from the same start on is another chunk: it is kept, and does not close this one.
    """
    if results is not None:
        same = before if before is not None and before.chunk == found.chunk else None
        in_place = same is not None and not same.closed
        number = store.newest_number(connection, found.chunk.start) + (not in_place)
        closed = found.closed or (same is not None and same.closed)
        store.write(connection, replace(found, number=number, closed=closed), results)
    elif before is not None and found.closed and not before.closed:
        store.close(connection, before)


def _say_anew(
    connection: Connection,
    watched: Watched,
    store: RevisionStore,
    before: Revision | None,
    chunk: Chunk,
    clock: datetime,
    now: datetime,
) -> int:
    """Derive the verdict of the chunk and of the later ones that read it; give how many turned."""
    spec = watched.version(connection).spec
    last = chunk.start + reach(spec)
    around = _neighbourhood(connection, store, watched, chunk, last, clock)
    verdicts = VerdictStore(watched.key)
    spoken = verdicts.between(connection, chunk.start, last)
    turned = 0
    for start in sorted(start for start in around.revisions if start >= chunk.start):
        revision, old, verdict = around.revisions[start], spoken.get(start), around.verdict(start)
        if old is not None and (old.revision, old.verdict) == (revision.number, verdict):
            continue
        was_open = not (before.closed if before is not None and start == chunk.start else revision.closed)
        in_place = old is not None and old.revision == revision.number and was_open
        verdicts.say(connection, revision, verdict, now, instead=old if in_place else None)
        turned += 1
    return turned


def _neighbourhood(
    connection: Connection, store: RevisionStore, watched: Watched, chunk: Chunk, last: datetime, clock: datetime
) -> Neighbourhood:
    """Read the current facts around a chunk: whole from its lookback on, only performance as far as records reach."""
    spec = watched.version(connection).spec
    first = chunk.start - reach(spec)
    near = chunk
    for _ in range(LOOKBACK):
        near = previous_chunk(near, spec.period, spec.zone)
    results = store.results_between(connection, first, near.start, performance_only=True)
    results |= store.results_between(connection, near.start, last)
    return Neighbourhood(spec, clock, store.between(connection, first, last), results)
