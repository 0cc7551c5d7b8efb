"""Reads the stored results of a model version as rows: the current ones, or those of an earlier instant."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, select, tuple_

from driftline.clock import aware_utc, naive_utc
from driftline.engine.calendar import LONGEST_CHUNK
from driftline.store.ascii_columns import equals
from driftline.store.tables import chunk_revisions, results
from driftline.store.version_key import VersionKey
from driftline.store.versions.spec_revisions import newest_spec
from monitoring.poll.results.joined_results import FIELD_NAMES, RESULT_COLUMNS, read_objects
from monitoring.poll.results.revisions import RevisionStore
from monitoring.report.range_ends import RangeEnd, is_day, range_start, range_stop

_LONGEST = max(LONGEST_CHUNK.values())
_REVISION = chunk_revisions.c


@dataclass(frozen=True, slots=True)
class ResultFilter:
    """Which results: those that have every given value; `segment` is empty for the results on all rows."""

    subject: str | None = None
    subject_kind: str | None = None
    kind: str | None = None
    method: str | None = None
    segment: str | None = None
    state: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return the conditions on the table of results."""
        return [equals(results.c[name], value) for name, value in asdict(self).items() if value is not None]


@dataclass(frozen=True, slots=True)
class ResultRange:
    """Which chunks: those that start from `first` to `last`, both included, at most `most` of them.

    Each is an instant, or a whole day of the model's calendar. Without `first` they are the newest, with it the
    oldest. `as_of` is the instant whose results are read: of each chunk the newest revision that had been computed by
    then; None reads the current results.
    """

    first: RangeEnd | None = None
    last: RangeEnd | None = None
    as_of: datetime | None = None
    most: int = 60


@dataclass(frozen=True, slots=True)
class ResultLines:
    """Results of one chunk, and the fields of the chunk that they share, by name.

    Each of the `lines` is a JSON object without its opening brace.
    """

    shared: dict[str, Any]
    lines: list[str]


@dataclass(frozen=True, slots=True)
class ResultRows:
    """Results of whole chunks, oldest chunk first, and the start of the first chunk beyond them, if there is one."""

    groups: list[ResultLines]
    next_start: datetime | None


RESULT_FIELDS = ("start", "end", "revision", "closed", *(FIELD_NAMES.get(c.name, c.name) for c in RESULT_COLUMNS))
"""The names of a row's fields, in order."""


def read_results(connection: Connection, key: VersionKey, span: ResultRange, result_filter: ResultFilter) -> ResultRows:
    """Read the results of a model version in a range of chunks.

    A provisional revision is replaced in place when its chunk grows. With `as_of`, a chunk is therefore left out where
    its only revision was computed later.
    """
    revisions = _revisions(connection, key, span)
    beyond = revisions[span.most].chunk_start if span.first is not None and len(revisions) > span.most else None
    page = revisions[: span.most] if span.first is not None else revisions[-span.most :]
    if not page:
        return ResultRows([], None)
    conditions = (
        key.rows_of(results),
        results.c.chunk_start.between(page[0].chunk_start, page[-1].chunk_start),
        tuple_(results.c.chunk_start, results.c.revision).in_([(row.chunk_start, row.revision) for row in page]),
        *result_filter.conditions(),
    )
    by_start = {row.chunk_start: _described(row) for row in page}
    groups = [ResultLines(by_start[start], lines) for start, lines in read_objects(connection, conditions)]
    return ResultRows(groups, beyond and aware_utc(beyond))


def _revisions(connection: Connection, key: VersionKey, span: ResultRange) -> list[Row[Any]]:
    """Return the revisions of the range, oldest chunk first, and one more than `most` where there are more."""
    ends = RevisionStore(key).ends(connection)
    if ends is None:
        return []
    zone = newest_spec(connection, key).zone if is_day(span.first) or is_day(span.last) else ZoneInfo("UTC")
    first = max(range_start(span.first, zone) or ends[0], ends[0])
    last = min(range_stop(span.last, zone) or ends[1], ends[1])
    columns = (_REVISION.chunk_start, _REVISION.chunk_end, _REVISION.revision, _REVISION.closed, _REVISION.computed_at)
    of_version = select(*columns).where(key.rows_of(chunk_revisions))
    if span.as_of is None:
        within = of_version.where(_REVISION.current, _REVISION.chunk_start.between(naive_utc(first), naive_utc(last)))
        ordered = within.order_by(_REVISION.chunk_start if span.first is not None else _REVISION.chunk_start.desc())
        return sorted(connection.execute(ordered.limit(span.most + 1)), key=lambda row: row.chunk_start)
    # a chunk of another calendar may begin before the range and cover its first chunks
    start = max(first - _LONGEST, ends[0])
    by_then = of_version.where(
        _REVISION.computed_at <= naive_utc(span.as_of), _REVISION.chunk_start.between(naive_utc(start), naive_utc(last))
    )
    reported = _without_overlap(connection.execute(by_then))
    return [row for row in reported if row.chunk_start >= naive_utc(first)]


def _without_overlap(rows: Iterable[Row[Any]]) -> list[Row[Any]]:
    """Return the revisions that no later one overlaps, oldest chunk first: earlier ones, and those of old calendars."""
    page_rows: list[Row[Any]] = []
    for row in sorted(rows, key=lambda row: (row.computed_at, row.revision), reverse=True):
        place = bisect_left(page_rows, row.chunk_start, key=lambda stored: stored.chunk_start)
        overlaps = place > 0 and page_rows[place - 1].chunk_end > row.chunk_start
        after = place < len(page_rows) and page_rows[place].chunk_start < row.chunk_end
        if not (overlaps or after):
            page_rows.insert(place, row)
    return page_rows


def _described(row: Row[Any]) -> dict[str, Any]:
    start, end = aware_utc(row.chunk_start), aware_utc(row.chunk_end)
    return {"start": start, "end": end, "revision": row.revision, "closed": bool(row.closed)}
