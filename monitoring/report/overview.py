"""All models at a glance, those that need attention first; the number of statements does not depend on their number."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from math import ceil
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Select, Table, and_, func, or_, select

from driftline.clock import aware_utc, naive_utc
from driftline.engine.calendar import LONGEST_CHUNK
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import State
from driftline.engine.spec import ModelClock, Period
from driftline.store.ledger import KINDS_WITH_ROWS
from driftline.store.tables import chunk_revisions, ledger, pending_chunks, verdicts
from driftline.store.version_key import VersionKey
from driftline.store.versions import model_list
from driftline.store.versions.model_list import ModelSummary
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.standing import Severity
from monitoring.incidents.stored_incidents import IncidentFilter, StoredIncident, find_incidents

PAGE_SIZE = 50
RECENT_CHUNKS = 30
"""How many chunks of a model the overview shows."""
MOST_OPEN_INCIDENTS = 10_000
SILENT_CHUNKS = 2
"""A model is silent when its newest chunk began so many chunks ago that the one after it should have closed."""
_duration: TypeAdapter[timedelta] = TypeAdapter(timedelta)


class Attention(IntEnum):
    """How urgently a model needs somebody, the most urgent first."""

    ALERT = 0
    FAILED = 1
    WARN = 2
    SILENT = 3
    NOT_STARTED = 4
    INSUFFICIENT = 5
    ACKNOWLEDGED = 6
    WAITING = 7
    NONE = 8

    @property
    def is_needed(self) -> bool:
        """Whether somebody should look at the model."""
        return self < Attention.ACKNOWLEDGED


@dataclass(frozen=True, slots=True)
class PendingCount:
    """The chunks of a version that wait to be computed, and those whose computation failed."""

    waiting: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class ModelOverview:
    """A model at a glance.

    `state` is the verdict of its newest closed chunk (of the newest one where none has closed), `NO_DATA` for a silent
    model, and `ERROR` where a computation failed. `incident` is its open incident, the most severe of several.
    """

    summary: ModelSummary
    state: State
    attention: Attention
    silent: bool
    pending: PendingCount
    incident: StoredIncident | None
    newest_event: datetime | None

    @property
    def key(self) -> VersionKey | None:
        """The key of the version that is used."""
        summary = self.summary
        return None if summary.version is None else VersionKey(summary.number, summary.version)


@dataclass(frozen=True, slots=True)
class RecentChunk:
    """A chunk of a model's recent past: its current verdict, and how many of its rows have labels.

    `reason` is the most severe of the verdict's, and `further_reason` the next one, empty without one.
    """

    chunk: Chunk
    state: State
    provisional: bool
    closed: bool
    reason: str
    rows: int
    labelled: int
    computed_at: datetime
    further_reason: str = ""


@dataclass(frozen=True, slots=True)
class OverviewFilter:
    """Which models of the overview: those with a text in their name, in a state, of an owner; None selects all."""

    text: str | None = None
    state: State | None = None
    owner: str | None = None

    def takes(self, model: ModelOverview) -> bool:
        """Return whether a model is selected."""
        if self.state is not None and model.state is not self.state:
            return False
        if self.owner is not None and model.summary.owner != self.owner:
            return False
        return self.text is None or self.text.casefold() in model.summary.name.casefold()


@dataclass(frozen=True, slots=True)
class Overview:
    """One page of the selected models: `models` are all, `shown` those of the page, `recent` are their chunks."""

    models: Sequence[ModelOverview]
    page: Sequence[ModelOverview]
    recent: Mapping[VersionKey, Sequence[RecentChunk]]
    selected: int
    number: int
    pages: int
    now: datetime


def read_overview(connection: Connection, now: datetime, overview_filter: OverviewFilter, number: int) -> Overview:
    """Return a page of the overview, by number from 1; the last one where there are fewer.

    The number of statements does not depend on that of the models.
    """
    models = _models(connection, now)
    selected = [model for model in models if overview_filter.takes(model)]
    pages = max(1, ceil(len(selected) / PAGE_SIZE))
    number = min(number, pages)
    page = selected[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return Overview(models, page, _recent(connection, page), len(selected), number, pages, now)


def _models(connection: Connection, now: datetime) -> list[ModelOverview]:
    """Return every model, the most urgent first, then by name."""
    summaries = model_list.list_models(connection)
    pending, incidents = _pending(connection), _open_incidents(connection)
    events = _newest_events(connection)
    models = [
        _overview(
            summary,
            pending.get((summary.number, summary.version), PendingCount()),
            incidents.get((summary.name, summary.version)),
            events.get(summary.number),
            now,
        )
        for summary in summaries
    ]
    return sorted(models, key=lambda model: (model.attention, model.summary.name))


def _overview(
    summary: ModelSummary,
    pending: PendingCount,
    incident: StoredIncident | None,
    newest_event: datetime | None,
    now: datetime,
) -> ModelOverview:
    silent = _is_silent(summary, now)
    state = summary.closed_state or summary.state or State.NO_DATA
    state = State.ERROR if pending.failed else State.NO_DATA if silent else state
    handled = incident is not None and (incident.acknowledged_at is not None or incident.is_silenced(now))
    attention = _attention(state, summary, incident, handled=handled)
    return ModelOverview(summary, state, attention, silent, pending, incident, newest_event)


def _attention(state: State, summary: ModelSummary, incident: StoredIncident | None, *, handled: bool) -> Attention:
    """Return the most urgent reason to look at a model; an incident that is acknowledged or silenced is not urgent."""
    if state is State.ERROR:
        return Attention.FAILED
    if summary.newest_chunk is None:
        return Attention.NOT_STARTED
    if handled:
        return Attention.SILENT if state is State.NO_DATA else Attention.ACKNOWLEDGED
    if state is State.ALERT or (incident is not None and incident.severity is Severity.ALERT):
        return Attention.ALERT
    if state is State.WARN or incident is not None:
        return Attention.WARN
    of_state = {
        State.NO_DATA: Attention.SILENT,
        State.INSUFFICIENT: Attention.INSUFFICIENT,
        State.PENDING_LABELS: Attention.WAITING,
    }
    return of_state.get(state, Attention.NONE)


def _is_silent(summary: ModelSummary, now: datetime) -> bool:
    """Return whether a chunk without any prediction should have closed, by the wall clock, since the newest one."""
    if summary.newest_chunk is None or summary.spec is None or summary.spec["clock"] != ModelClock.WALL:
        return False
    lateness = _duration.validate_python(summary.spec["allowed_lateness"])
    chunks = SILENT_CHUNKS * LONGEST_CHUNK[Period(summary.spec["period"])]
    return now >= summary.newest_chunk + chunks + lateness


def _pending(connection: Connection) -> dict[tuple[int, int | None], PendingCount]:
    """Return by model number and version how many chunks wait, and how many failed."""
    columns = pending_chunks.c
    counted = select(
        columns.model_number,
        columns.model_version,
        func.sum(func.if_(columns.due_at.is_(None), 1, 0)),
        func.sum(func.if_(columns.attempts > 0, 1, 0)),
    ).group_by(columns.model_number, columns.model_version)
    return {
        (number, version): PendingCount(int(waiting), int(failed))
        for number, version, waiting, failed in connection.execute(counted)
    }


def _open_incidents(connection: Connection) -> dict[tuple[str, int | None], StoredIncident]:
    """Return the open incident of each version by model name and version: an alert before a warning, the newest."""
    incidents = find_incidents(connection, IncidentFilter(state=IncidentState.OPEN, most=MOST_OPEN_INCIDENTS))
    incidents.sort(key=lambda incident: (incident.severity is Severity.ALERT, incident.number))
    return {(incident.model, incident.version): incident for incident in incidents}


def _newest_events(connection: Connection) -> Mapping[int, datetime]:
    """Return the newest event of each model, by its number."""
    kinds = ledger.c.kind.in_(KINDS_WITH_ROWS)
    newest = select(ledger.c.model_number, func.max(ledger.c.last_event)).where(kinds).group_by(ledger.c.model_number)
    return {number: aware_utc(at) for number, at in connection.execute(newest) if at is not None}


def _recent(connection: Connection, models: Iterable[ModelOverview]) -> dict[VersionKey, Sequence[RecentChunk]]:
    """Return the newest chunks of some models' versions, oldest first; one statement."""
    spans = [
        (key, summary.newest_chunk - (RECENT_CHUNKS - 1) * LONGEST_CHUNK[Period(summary.period)])
        for model in models
        if (key := model.key) and (summary := model.summary).newest_chunk and summary.period
    ]
    recent: dict[VersionKey, list[RecentChunk]] = {key: [] for key, _ in spans}
    if spans:
        for row in connection.execute(_recent_statement(spans)).mappings():
            recent[VersionKey(row["model_number"], row["model_version"])].append(_recent_chunk(row))
    return {key: chunks[-RECENT_CHUNKS:] for key, chunks in recent.items()}


def _recent_statement(spans: Sequence[tuple[VersionKey, datetime]]) -> Select[Any]:
    """Select the current revisions of some versions, each from an instant on, with their verdicts."""

    def within(table: Table) -> ColumnElement[bool]:
        return or_(*(and_(key.rows_of(table), table.c.chunk_start >= naive_utc(first)) for key, first in spans))

    names = ("model_number", "model_version", "chunk_start", "revision")
    same = and_(*(verdicts.c[name] == chunk_revisions.c[name] for name in names), verdicts.c.current)
    columns = [chunk_revisions.c[name] for name in (*names, "chunk_end", "rows_seen", "rows_labelled", "computed_at")]
    return (
        select(*columns, verdicts.c.state, verdicts.c.provisional, verdicts.c.closed, verdicts.c.reasons)
        .select_from(chunk_revisions.join(verdicts, same))
        .where(within(chunk_revisions), chunk_revisions.c.current)
        .order_by(chunk_revisions.c.chunk_start)
    )


def _recent_chunk(row: Mapping[Any, Any]) -> RecentChunk:
    """Return the chunk that a row describes, with the first reason of its verdict."""
    reasons: list[str] = json.loads(row["reasons"])
    reason, further, *_ = [*reasons, "", ""]
    return RecentChunk(
        chunk=Chunk(aware_utc(row["chunk_start"]), aware_utc(row["chunk_end"])),
        state=State(row["state"]),
        provisional=bool(row["provisional"]),
        closed=bool(row["closed"]),
        reason=reason,
        rows=row["rows_seen"],
        labelled=row["rows_labelled"],
        computed_at=aware_utc(row["computed_at"]),
        further_reason=further,
    )
