"""The result store: revisions of chunks, each with its results and with what produced it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, and_, delete, func, insert, select, update

from driftline.clock import aware_utc, naive_utc
from driftline.engine.chunks import Chunk
from driftline.engine.results import MODEL, Bounds, Result, ResultKind, State
from driftline.engine.spec import Period
from driftline.store.tables import chunk_revisions, results, verdicts
from monitoring.poll.watched import LONGEST, VersionKey

_COLUMNS = chunk_revisions.c
PERFORMANCE = (ResultKind.REALIZED, ResultKind.ESTIMATED)
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Provenance:
    """What produced a revision: `batches` are the numbers of those that wrote its rows and labels."""

    spec_revision: int
    reference_hash: str
    code_version: str
    batches: tuple[int, ...]
    labels_as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Revision:
    """What was found of a chunk, apart from its results: `rows` predictions, `labelled` of them with their label.

    `content_hash` is of the rows, their labels, the spec revision and the reference. Instants are aware.
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
    """Reads and writes the revisions of one model version; of each chunk one is current."""

    def __init__(self, key: VersionKey) -> None:
        """Take the version; nothing is opened."""
        self.key = key

    def current(self, connection: Connection, start: datetime) -> Revision | None:
        """Give the current revision of the chunk that starts at `start`, or None."""
        row = connection.execute(self._select(_COLUMNS.chunk_start == naive_utc(start))).mappings().first()
        return None if row is None else _revision(row)

    def between(self, connection: Connection, first: datetime, last: datetime) -> dict[datetime, Revision]:
        """Give by start the current revisions of chunks that start from `first` to `last`, both included."""
        rows = connection.execute(self._select(_COLUMNS.chunk_start.between(naive_utc(first), naive_utc(last))))
        return {revision.chunk.start: revision for revision in map(_revision, rows.mappings())}

    def ends(self, connection: Connection) -> tuple[datetime, datetime] | None:
        """Give the starts of the first and the last chunk that is stored, or None; two index look-ups."""
        mine = select(_COLUMNS.chunk_start).where(self._mine(chunk_revisions)).limit(1)
        first = connection.execute(mine.order_by(_COLUMNS.chunk_start)).scalar()
        last = connection.execute(mine.order_by(_COLUMNS.chunk_start.desc())).scalar()
        return None if first is None or last is None else (aware_utc(first), aware_utc(last))

    def history(self, connection: Connection, start: datetime) -> list[Revision]:
        """Give every revision of a chunk, oldest first."""
        mine = and_(self._mine(chunk_revisions), _COLUMNS.chunk_start == naive_utc(start))
        rows = connection.execute(select(chunk_revisions).where(mine).order_by(_COLUMNS.revision))
        return [_revision(row) for row in rows.mappings()]

    def newest_number(self, connection: Connection, start: datetime) -> int:
        """Give the number of the last revision of a chunk, current or not; 0 where nothing was ever said of it."""
        mine = and_(self._mine(chunk_revisions), _COLUMNS.chunk_start == naive_utc(start))
        newest = select(func.coalesce(func.max(_COLUMNS.revision), 0)).where(mine)
        return int(connection.execute(newest).scalar_one())

    def results_between(
        self, connection: Connection, first: datetime, last: datetime, *, performance_only: bool = False
    ) -> dict[datetime, tuple[Result, ...]]:
        """Give by start the results of current revisions of chunks that start from `first` to `last`, both included."""
        same = and_(
            *(chunk_revisions.c[name] == results.c[name] for name in ("model_number", "model_version", "chunk_start")),
            _COLUMNS.revision == results.c.revision,
        )
        wanted = [
            self._mine(results),
            results.c.chunk_start.between(naive_utc(first), naive_utc(last)),
            _COLUMNS.current,
        ]
        if performance_only:
            wanted += [results.c.subject == MODEL, results.c.kind.in_(PERFORMANCE)]
        rows = connection.execute(select(results).select_from(results.join(chunk_revisions, same)).where(*wanted))
        found: dict[datetime, list[Result]] = {}
        for row in rows.mappings():
            found.setdefault(aware_utc(row["chunk_start"]), []).append(_result(row))
        return {start: tuple(of_chunk) for start, of_chunk in found.items()}

    def results_of(self, connection: Connection, start: datetime, number: int) -> tuple[Result, ...]:
        """Give the results of one revision of a chunk, current or not."""
        rows = connection.execute(select(results).where(self._one(results, start, number)))
        return tuple(_result(row) for row in rows.mappings())

    def write(self, connection: Connection, revision: Revision, found: Iterable[Result]) -> None:
        """Store a revision as the current one; the same number again is overwritten in place, results and all."""
        start, number = revision.chunk.start, revision.number
        self._retire_overlapped(connection, revision.chunk)
        connection.execute(delete(results).where(self._one(results, start, number)))
        connection.execute(delete(chunk_revisions).where(self._one(chunk_revisions, start, number)))
        connection.execute(insert(chunk_revisions).values(self._row(revision)))
        rows = [self._result_row(revision, result) for result in found]
        if rows:
            connection.execute(insert(results), rows)

    def close(self, connection: Connection, revision: Revision) -> None:
        """Say that a chunk has closed with the content it had."""
        mine = self._one(chunk_revisions, revision.chunk.start, revision.number)
        connection.execute(update(chunk_revisions).where(mine).values(closed=True))

    def _retire_overlapped(self, connection: Connection, chunk: Chunk) -> None:
        """What was said of this time, of the chunk or of others under an older calendar, is no longer current."""
        overlapping = self._select(
            _COLUMNS.chunk_start > naive_utc(chunk.start - LONGEST[Period.QUARTER]),
            _COLUMNS.chunk_start < naive_utc(chunk.end),
            _COLUMNS.chunk_end > naive_utc(chunk.start),
        ).with_only_columns(_COLUMNS.chunk_start)
        starts = connection.execute(overlapping).scalars().all()
        others = [start for start in starts if start != naive_utc(chunk.start)]
        for table, retired in ((chunk_revisions, starts), (verdicts, others)):
            if retired:
                mine = and_(self._mine(table), table.c.chunk_start.in_(retired), table.c.current)
                connection.execute(update(table).where(mine).values(current=False))

    def _select(self, *wanted: ColumnElement[bool]) -> Select[Any]:
        current = select(chunk_revisions).where(self._mine(chunk_revisions), _COLUMNS.current, *wanted)
        return current.order_by(_COLUMNS.chunk_start)

    def _mine(self, table: Table) -> ColumnElement[bool]:
        return and_(table.c.model_number == self.key.model_number, table.c.model_version == self.key.version)

    def _one(self, table: Table, start: datetime, number: int) -> ColumnElement[bool]:
        return and_(self._mine(table), table.c.chunk_start == naive_utc(start), table.c.revision == number)

    def _identity(self, revision: Revision) -> dict[str, object]:
        return {
            "model_number": self.key.model_number,
            "model_version": self.key.version,
            "chunk_start": naive_utc(revision.chunk.start),
            "revision": revision.number,
        }

    def _row(self, revision: Revision) -> dict[str, object]:
        origin = revision.provenance
        return self._identity(revision) | {
            "chunk_end": naive_utc(revision.chunk.end),
            "closed": revision.closed,
            "current": True,
            "rows_seen": revision.rows,
            "rows_labelled": revision.labelled,
            "content_hash": revision.content_hash,
            "spec_revision": origin.spec_revision,
            "reference_hash": origin.reference_hash,
            "code_version": origin.code_version,
            "batches": json.dumps(origin.batches),
            "labels_as_of": origin.labels_as_of and naive_utc(origin.labels_as_of),
            "computed_at": naive_utc(revision.computed_at),
        }

    def _result_row(self, revision: Revision, result: Result) -> dict[str, object]:
        return self._identity(revision) | {
            "subject": result.subject,
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


def _revision(row: Mapping[Any, Any]) -> Revision:
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


def _result(row: Mapping[Any, Any]) -> Result:
    return Result(
        subject=row["subject"],
        kind=ResultKind(row["kind"]),
        method=row["method"],
        value=row["value"],
        rows=row["rows_used"],
        state=State(row["state"]),
        bounds=Bounds(row["lower"], row["upper"], row["alert_lower"], row["alert_upper"], row["expected"]),
        sampling_error=row["sampling_error"],
        p_value=row["p_value"],
        reason=row["reason"],
        effect=row["effect"],
    )
