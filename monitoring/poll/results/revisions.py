"""The revision store: the revisions of each chunk, with their results and provenance."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from driftline.clock import aware_utc, naive_utc
from driftline.engine.calendar import LONGEST_CHUNK
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import Result, ResultKind, SubjectKind
from driftline.engine.spec import Period
from driftline.store.tables import chunk_revisions, results, verdicts
from driftline.store.version_key import VersionKey
from monitoring.poll.results.joined_results import read_results

_COLUMNS = chunk_revisions.c
PERFORMANCE = (ResultKind.REALIZED, ResultKind.ESTIMATED)
LONGEST_REASON = 500
LONGEST_SEGMENT = 400
REVISION_COLUMNS = tuple(column for column in _COLUMNS if column.name not in {"score_counts", "evidence", "detector"})
"""The columns that describe a revision, without the long ones of its evidence, which `stored_evidence.py` reads."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What produced a revision: `batches` are the numbers of the batches that wrote its rows and labels."""

    spec_revision: int
    reference_hash: str
    code_version: str
    batches: tuple[int, ...]
    labels_as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a chunk, without its results: `rows` predictions, of which `labelled` have their label.

    `content_hash` covers the rows, their labels, the spec revision and the reference. Instants are aware.
    """

    number: int
    chunk: Chunk
    closed: bool
    rows: int
    labelled: int
    content_hash: str
    provenance: Provenance
    computed_at: datetime


class RevisionStore:
    """Reads and writes the revisions of one model version; one revision of each chunk is current."""

    def __init__(self, key: VersionKey) -> None:
        """Store the version's key; nothing is opened."""
        self.key = key

    def current(self, connection: Connection, start: datetime) -> Revision | None:
        """Return the current revision of the chunk that starts at `start`, or None."""
        row = connection.execute(self._select(_COLUMNS.chunk_start == naive_utc(start))).mappings().first()
        return None if row is None else _revision(row)

    def between(self, connection: Connection, first: datetime, last: datetime) -> dict[datetime, Revision]:
        """Return by start the current revisions of chunks that start from `first` to `last`, both included."""
        rows = connection.execute(self._select(_COLUMNS.chunk_start.between(naive_utc(first), naive_utc(last))))
        return {revision.chunk.start: revision for revision in map(_revision, rows.mappings())}

    def ends(self, connection: Connection) -> tuple[datetime, datetime] | None:
        """Return the starts of the first and the last stored chunk, or None if there is none; two index look-ups."""
        starts = select(_COLUMNS.chunk_start).where(self.key.rows_of(chunk_revisions)).limit(1)
        first = connection.execute(starts.order_by(_COLUMNS.chunk_start)).scalar()
        last = connection.execute(starts.order_by(_COLUMNS.chunk_start.desc())).scalar()
        return None if first is None or last is None else (aware_utc(first), aware_utc(last))

    def newest_rows(self, connection: Connection) -> int | None:
        """Return how many rows the newest stored chunk has; None if there is none."""
        newest = self._select().with_only_columns(_COLUMNS.rows_seen).order_by(None)
        return connection.execute(newest.order_by(_COLUMNS.chunk_start.desc()).limit(1)).scalar()

    def first_chunks(self, connection: Connection) -> dict[int, datetime]:
        """Return the start of the first stored chunk of each version of the model, by version."""
        columns = (_COLUMNS.model_version, func.min(_COLUMNS.chunk_start))
        of_model = select(*columns).where(_COLUMNS.model_number == self.key.model_number)
        firsts = connection.execute(of_model.group_by(_COLUMNS.model_version))
        return {version: aware_utc(start) for version, start in firsts}

    def history(self, connection: Connection, start: datetime) -> list[Revision]:
        """Return every revision of a chunk, oldest first."""
        of_chunk = and_(self.key.rows_of(chunk_revisions), _COLUMNS.chunk_start == naive_utc(start))
        rows = connection.execute(select(*REVISION_COLUMNS).where(of_chunk).order_by(_COLUMNS.revision))
        return [_revision(row) for row in rows.mappings()]

    def newest_number(self, connection: Connection, start: datetime) -> int:
        """Return the number of the last revision of a chunk, current or not; 0 if there is none."""
        of_chunk = and_(self.key.rows_of(chunk_revisions), _COLUMNS.chunk_start == naive_utc(start))
        newest = select(func.coalesce(func.max(_COLUMNS.revision), 0)).where(of_chunk)
        return int(connection.execute(newest).scalar_one())

    def results_between(
        self,
        connection: Connection,
        first: datetime,
        last: datetime,
        *,
        performance_only: bool = False,
        segments: Collection[str | None] | None = None,
    ) -> dict[datetime, tuple[Result, ...]]:
        """Return by start the results of the current revisions of chunks that start in `first` to `last`, inclusive.

        `segments` are those whose results are read, where None stands for all rows; by default all of them.
        """
        same = and_(
            *(chunk_revisions.c[name] == results.c[name] for name in ("model_number", "model_version", "chunk_start")),
            _COLUMNS.revision == results.c.revision,
        )
        conditions = [
            self.key.rows_of(results),
            results.c.chunk_start.between(naive_utc(first), naive_utc(last)),
            _COLUMNS.current,
        ]
        if performance_only:
            conditions += [results.c.subject_kind == SubjectKind.MODEL, results.c.kind.in_(PERFORMANCE)]
        if segments is not None:
            conditions.append(results.c.segment.in_([_stored_segment(segment) for segment in segments]))
        by_start: dict[datetime, tuple[Result, ...]] = {}
        for start, part in read_results(connection, results.join(chunk_revisions, same), conditions):
            by_start[aware_utc(start)] = (*by_start.get(aware_utc(start), ()), *part)
        return by_start

    def results_of(self, connection: Connection, start: datetime, number: int) -> tuple[Result, ...]:
        """Return the results of one revision of a chunk, current or not."""
        parts = read_results(connection, results, [self._is_revision(results, start, number)])
        return tuple(result for _, part in parts for result in part)

    def write(
        self, connection: Connection, revision: Revision, new: Iterable[Result], *, kept_from: int | None = None
    ) -> None:
        """Store a revision and its results as the current one; an existing revision of the same number is replaced.

        With `kept_from`, the number of a revision of the chunk, its other results are those of this revision too.
        """
        start, number = revision.chunk.start, revision.number
        rows = [self._result_row(revision, result) for result in new]
        self._retire_overlapped(connection, revision.chunk)
        if kept_from is None:
            connection.execute(delete(results).where(self._is_revision(results, start, number)))
        else:
            self._keep_others(connection, start, kept_from, number, rows)
        connection.execute(delete(chunk_revisions).where(self._is_revision(chunk_revisions, start, number)))
        connection.execute(insert(chunk_revisions).values(self._row(revision)))
        if rows:
            connection.execute(insert(results), rows)

    def _keep_others(
        self, connection: Connection, start: datetime, kept_from: int, number: int, rows: list[dict[str, object]]
    ) -> None:
        """Copy the results of another revision to a revision, except those that `rows` will replace."""
        if kept_from != number:
            copied = [literal(number) if c is results.c.revision else c for c in results.c]
            stored = select(*copied).where(self._is_revision(results, start, kept_from))
            connection.execute(insert(results).from_select([c.name for c in results.c], stored))
        key = [c for c in results.primary_key if c.name not in chunk_revisions.primary_key.columns]
        replaced = [tuple(row[c.name] for c in key) for row in rows]
        connection.execute(delete(results).where(self._is_revision(results, start, number), tuple_(*key).in_(replaced)))

    def close(self, connection: Connection, revision: Revision) -> None:
        """Mark a stored revision as that of a closed chunk."""
        row = self._is_revision(chunk_revisions, revision.chunk.start, revision.number)
        connection.execute(update(chunk_revisions).where(row).values(closed=True))

    def _retire_overlapped(self, connection: Connection, chunk: Chunk) -> None:
        """Retire the current revisions that overlap the chunk: its own, and those of chunks of an older calendar."""
        overlapping = self._select(
            _COLUMNS.chunk_start > naive_utc(chunk.start - LONGEST_CHUNK[Period.QUARTER]),
            _COLUMNS.chunk_start < naive_utc(chunk.end),
            _COLUMNS.chunk_end > naive_utc(chunk.start),
        ).with_only_columns(_COLUMNS.chunk_start)
        starts = connection.execute(overlapping).scalars().all()
        overlapped = [start for start in starts if start != naive_utc(chunk.start)]
        for table, retired in ((chunk_revisions, starts), (verdicts, overlapped)):
            if retired:
                current = and_(self.key.rows_of(table), table.c.chunk_start.in_(retired), table.c.current)
                connection.execute(update(table).where(current).values(current=False))

    def _select(self, *conditions: ColumnElement[bool]) -> Select[Any]:
        current = select(*REVISION_COLUMNS).where(self.key.rows_of(chunk_revisions), _COLUMNS.current, *conditions)
        return current.order_by(_COLUMNS.chunk_start)

    def _is_revision(self, table: Table, start: datetime, number: int) -> ColumnElement[bool]:
        return and_(self.key.rows_of(table), table.c.chunk_start == naive_utc(start), table.c.revision == number)

    def _identity(self, revision: Revision) -> dict[str, object]:
        return {
            "model_number": self.key.model_number,
            "model_version": self.key.version,
            "chunk_start": naive_utc(revision.chunk.start),
            "revision": revision.number,
        }

    def _row(self, revision: Revision) -> dict[str, object]:
        """Return the row of a revision."""
        provenance = revision.provenance
        return self._identity(revision) | {
            "chunk_end": naive_utc(revision.chunk.end),
            "closed": revision.closed,
            "current": True,
            "rows_seen": revision.rows,
            "rows_labelled": revision.labelled,
            "content_hash": revision.content_hash,
            "spec_revision": provenance.spec_revision,
            "reference_hash": provenance.reference_hash,
            "code_version": provenance.code_version,
            "batches": json.dumps(provenance.batches),
            "labels_as_of": provenance.labels_as_of and naive_utc(provenance.labels_as_of),
            "computed_at": naive_utc(revision.computed_at),
        }

    def _result_row(self, revision: Revision, result: Result) -> dict[str, object]:
        """Return the row of a result."""
        return self._identity(revision) | {
            "subject_kind": result.subject_kind,
            "subject": result.subject,
            "segment": _stored_segment(result.segment),
            "kind": result.kind,
            "method": result.method,
            "value": result.value,
            "lower": result.bounds.lower,
            "upper": result.bounds.upper,
            "alert_lower": result.bounds.alert_lower,
            "alert_upper": result.bounds.alert_upper,
            "expected": result.bounds.expected,
            "sampling_error": result.sampling_error,
            "p_value": result.p_value,
            "effect": result.effect,
            "rows_used": result.rows,
            "state": result.state,
            "reason": result.reason and result.reason[:LONGEST_REASON],
        }


def _stored_segment(segment: str | None) -> str:
    """Return the name of a segment as it is stored: the end of a very long one is replaced by a hash of all of it."""
    if segment is None or len(segment) <= LONGEST_SEGMENT:
        return segment or ""
    digest = hashlib.sha256(segment.encode()).hexdigest()
    return f"{segment[: LONGEST_SEGMENT - len(digest) - 1]}…{digest}"


def _revision(row: Mapping[Any, Any]) -> Revision:
    """Return the revision that a row describes."""
    return Revision(
        number=row["revision"],
        chunk=Chunk(aware_utc(row["chunk_start"]), aware_utc(row["chunk_end"])),
        closed=bool(row["closed"]),
        rows=row["rows_seen"],
        labelled=row["rows_labelled"],
        content_hash=row["content_hash"],
        provenance=Provenance(
            row["spec_revision"],
            row["reference_hash"],
            row["code_version"],
            tuple(json.loads(row["batches"])),
            row["labels_as_of"] and aware_utc(row["labels_as_of"]),
        ),
        computed_at=aware_utc(row["computed_at"]),
    )
