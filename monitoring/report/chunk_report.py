"""What is known of each chunk, for people and programs: gaps, waiting and failed chunks among them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from driftline.engine.calendar import LONGEST_CHUNK, chunk_at, closing_time, label_deadline
from driftline.engine.chunks import Chunk, next_chunk
from driftline.engine.results import MODEL, Result, ResultKind, State, Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.store import pending_chunks
from driftline.store.registry import Version
from driftline.store.version_key import VersionKey
from monitoring.poll.revisions import Revision, RevisionStore
from monitoring.poll.verdicts import VerdictStore

NOT_YET = Verdict(State.NO_DATA, ("It waits to be computed.",), provisional=True)
EMPTY = Verdict(State.NO_DATA, ("There are no predictions in this chunk.",), provisional=False)
FAILED = "It could not be computed"


@dataclass(frozen=True, slots=True)
class ChunkReport:
    """One chunk as it stands: `waiting` says that its content changed and it is not computed again yet.

    `revision` is None where nothing was stored: no predictions (0 rows), or none computed yet.
    """

    chunk: Chunk
    closed: bool
    labels_due: bool
    verdict: Verdict
    revision: Revision | None = None
    results: tuple[Result, ...] = field(default=(), repr=False)
    waiting: bool = False

    @property
    def rows(self) -> int:
        """How many predictions were counted."""
        return self.revision.rows if self.revision else 0

    @property
    def labelled(self) -> int:
        """How many of them had their label."""
        return self.revision.labelled if self.revision else 0

    @property
    def coverage(self) -> float | None:
        """The share of labels that are in, None without rows."""
        return self.labelled / self.rows if self.rows else None

    def result(self, kind: ResultKind, method: str, subject: str = MODEL) -> Result | None:
        """Give one result, or None where it was not computed."""
        wanted = (kind, method, subject)
        return next((r for r in self.results if (r.kind, r.method, r.subject) == wanted), None)

    def facts(self) -> ChunkFacts:
        """Give what the engine's rules read of it."""
        return ChunkFacts(
            self.chunk.start, self.chunk.end, self.closed, self.labels_due, self.rows, self.labelled, self.results
        )


@dataclass(frozen=True, slots=True)
class Span:
    """Which chunks are asked for: those that start from `first` to `last` (both included), else the newest `most`."""

    first: datetime | None = None
    last: datetime | None = None
    most: int = 60


def read(connection: Connection, version: Version, clock: datetime, span: Span) -> list[ChunkReport]:
    """Read the chunks of a version, oldest first; calendar chunks between them that have no rows are among them."""
    key = VersionKey(version.model_number, version.number)
    store, failures = RevisionStore(key), pending_chunks.failures(connection, key)
    waiting = set(pending_chunks.changed(connection, key))
    limits = _limits(connection, store, version.spec, span, [*failures, *waiting])
    if limits is None:
        return []
    first, last = limits
    revisions = store.between(connection, first, last)
    verdicts = VerdictStore(key).between(connection, first, last)
    results = store.results_between(connection, first, last)
    reports = []
    for chunk in _calendar(version.spec, first, last):
        start, revision = chunk.start, revisions.get(chunk.start)
        if start in failures:
            reason = f"{FAILED}: {failures[start]}"
            verdict = Verdict(State.ERROR, (reason,), provisional=True)
        elif start in verdicts:
            verdict = verdicts[start].verdict
        else:
            verdict = NOT_YET if start in waiting else EMPTY
        closed = revision.closed if revision else clock >= closing_time(version.spec, chunk)
        labels_due = clock >= label_deadline(version.spec, chunk)
        found = results.get(start, ())
        reports.append(ChunkReport(chunk, closed, labels_due, verdict, revision, found, start in waiting))
    return reports


def _limits(
    connection: Connection, store: RevisionStore, spec: Spec, span: Span, unstored: list[datetime]
) -> tuple[datetime, datetime] | None:
    """Where the reports begin and end: within what is stored, waiting or failed, since time has no end."""
    ends = store.ends(connection)
    known = [*unstored, *(ends or ())]
    if not known:
        return None
    last = min(max(known), span.last) if span.last else max(known)
    earliest = last - (span.most - 1) * LONGEST_CHUNK[spec.period]
    first = max(min(known), span.first or earliest)
    return (first, last) if first <= last else None


def _calendar(spec: Spec, first: datetime, last: datetime) -> Iterator[Chunk]:
    """The calendar's chunks that start from `first` to `last`, both included."""
    chunk = chunk_at(spec, first)
    while chunk.start <= last:
        if chunk.start >= first:
            yield chunk
        chunk = next_chunk(chunk, spec.period, spec.zone)
