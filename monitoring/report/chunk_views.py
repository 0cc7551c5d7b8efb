"""Reads the chunks of a model version as views, chunks without rows, waiting and failed ones included."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from driftline.engine.calendar import LONGEST_CHUNK, chunk_at, closing_time, label_deadline
from driftline.engine.chunking.chunks import Chunk, next_chunk
from driftline.engine.results import State, Verdict
from driftline.engine.spec import Spec
from driftline.engine.verdicts.evidence_rule import alert_rule
from driftline.report.view import ChunkView
from driftline.store.polling import pending_chunks
from driftline.store.versions.registry import Version
from monitoring.poll.results.revisions import RevisionStore
from monitoring.poll.results.stored_evidence import EvidenceStore
from monitoring.poll.results.verdicts import VerdictStore
from monitoring.report.range_ends import RangeEnd, range_start, range_stop

NOT_COMPUTED = Verdict(State.NO_DATA, ("The next poll computes this chunk.",), provisional=True)
EMPTY = Verdict(State.NO_DATA, ("There are no predictions in this chunk.",), provisional=False)
FAILED = "It could not be computed"


@dataclass(frozen=True, slots=True)
class ChunkRange:
    """The chunks that start from `first` to `last` (both included); without `first` the newest `most` of them.

    Each is an instant, or a whole day of the model's calendar.
    """

    first: RangeEnd | None = None
    last: RangeEnd | None = None
    most: int = 60
    segments: tuple[str | None, ...] | None = None
    """The segments whose results are read, where None stands for all rows; by default all of them."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model version with its clock and its chunks, oldest first.

    `first_chunks` are the starts of the first stored chunk of each version of the model.
    """

    version: Version
    clock: datetime
    chunks: list[ChunkView]
    first_chunks: dict[int, datetime] = field(default_factory=dict)


def read_chunks(connection: Connection, version: Version, clock: datetime, requested: ChunkRange) -> list[ChunkView]:
    """Read the chunks of a version, oldest first, including the calendar's chunks that have no rows."""
    key = version.key
    store, failures = RevisionStore(key), pending_chunks.failures(connection, key)
    waiting = set(pending_chunks.changed(connection, key))
    ends = _range_ends(connection, store, version.spec, requested, [*failures, *waiting])
    if ends is None:
        return []
    first, last = ends
    revisions = store.between(connection, first, last)
    stored = VerdictStore(key).between(connection, first, last)
    results = store.results_between(connection, first, last, segments=requested.segments)
    evidence = EvidenceStore(key).evidence_between(connection, first, last) if alert_rule(version.spec) else {}
    views = []
    for chunk in _calendar(version.spec, first, last):
        start, revision = chunk.start, revisions.get(chunk.start)
        verdict = stored[start].verdict if start in stored else NOT_COMPUTED if start in waiting else EMPTY
        if start in failures:
            verdict = Verdict(State.ERROR, (f"{FAILED}: {failures[start]}",), provisional=True)
        views.append(
            ChunkView(
                start=start,
                end=chunk.end,
                rows=revision.rows if revision else 0,
                labelled=revision.labelled if revision else 0,
                closed=revision.closed if revision else clock >= closing_time(version.spec, chunk),
                labels_due=clock >= label_deadline(version.spec, chunk),
                verdict=verdict,
                results=results.get(start, ()),
                waiting=start in waiting,
                revision=revision.number if revision else None,
                computed_at=revision.computed_at if revision else None,
                labels_as_of=revision.provenance.labels_as_of if revision else None,
                spec_revision=revision.provenance.spec_revision if revision else None,
                evidence=evidence.get(start),
            )
        )
    return views


def _range_ends(
    connection: Connection, store: RevisionStore, spec: Spec, requested: ChunkRange, unstored: list[datetime]
) -> tuple[datetime, datetime] | None:
    """Return the first and the last start to read, among those stored, waiting or failed; None without any."""
    ends = store.ends(connection)
    starts = [*unstored, *(ends or ())]
    if not starts:
        return None
    oldest, newest = min(starts), max(starts)
    last = min(newest, range_stop(requested.last, spec.zone) or newest)
    if last < oldest:
        return None
    newest_first = last - (requested.most - 1) * LONGEST_CHUNK[spec.period]
    first = max(oldest, range_start(requested.first, spec.zone) or newest_first)
    return (first, last) if first <= last else None


def _calendar(spec: Spec, first: datetime, last: datetime) -> Iterator[Chunk]:
    """Yield the calendar's chunks that start from `first` to `last`, both included."""
    chunk = chunk_at(spec, first)
    while chunk.start <= last:
        if chunk.start >= first:
            yield chunk
        chunk = next_chunk(chunk, spec.period, spec.zone)
