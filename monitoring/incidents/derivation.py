"""Derives the incidents of a model version from its verdict events. No I/O here."""

from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import State
from monitoring.incidents.standing import Severity, Standing, StoredVerdictEvent

QUIET_CHUNKS = 2
"""This many quiet chunks in a row end an incident."""


class IncidentState(StrEnum):
    """Whether an incident lasts, has ended, or was withdrawn: later labels or another spec left no chunk in trouble."""

    OPEN = "open"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class IncidentEventKind(StrEnum):
    """What happened in an incident; `revised` is a closed chunk whose verdict was derived again with another state."""

    OPENED = "opened"
    WORSE = "worse"
    BETTER = "better"
    REVISED = "revised"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class IncidentEvent:
    """One event of an incident: the chunk, its state before and after, its most severe reason, and when it was derived.

    For `revised` the state before is that of the same chunk, else that of the last chunk in trouble.
    """

    kind: IncidentEventKind
    chunk_start: datetime
    before: State | None
    state: State
    reason: str
    derived_at: datetime


@dataclass(frozen=True, slots=True)
class VersionIncident:
    """A run of chunks in trouble: from the start of its first chunk to that of its last, and what happened.

    `read_until` is the end of the last chunk that it was derived from, such as the one that resolved it. `severity` and
    `reasons` are those of the last chunk in trouble. `backfill` says that it was opened by a chunk of the past.
    """

    state: IncidentState
    first: datetime
    last: datetime
    read_until: datetime
    severity: Severity
    worst: Severity
    reasons: tuple[str, ...]
    backfill: bool
    events: tuple[IncidentEvent, ...]

    @property
    def opened_at(self) -> datetime:
        """When the verdict that opened it was derived."""
        return next(event.derived_at for event in self.events if event.kind is IncidentEventKind.OPENED)

    @property
    def changed_at(self) -> datetime:
        """When the newest verdict of its events was derived."""
        return max(event.derived_at for event in self.events)

    def overlaps(self, first: datetime, read_until: datetime) -> bool:
        """Return whether the incident shares time with [first, read_until)."""
        return self.first < read_until and first < self.read_until


EventHistory = Sequence[StoredVerdictEvent]
"""All events of one chunk, oldest first; the last one is current."""


def derive_incidents(events: Iterable[StoredVerdictEvent]) -> list[VersionIncident]:
    """Return the incidents that follow from all verdict events of a version, in the order of their first chunks."""
    current, replaced = _split(_histories(events))
    runs = list(_runs(current))
    incidents = [_incident(run, resolved) for run, resolved in runs]
    spans = [(run[0][-1].chunk.start, run[-1][-1].chunk.end) for run, _ in runs]
    outside = [history for history in current if not _is_within(history[-1].chunk, spans)]
    past = [history for history in replaced if not _is_within(history[-1].chunk, spans)]
    incidents += [_withdrawn(run) for run in _past_runs([*outside, *past])]
    return sorted(incidents, key=lambda incident: incident.first)


def _histories(events: Iterable[StoredVerdictEvent]) -> list[EventHistory]:
    by_chunk: dict[Chunk, list[StoredVerdictEvent]] = {}
    for event in sorted(events, key=lambda event: event.number):
        by_chunk.setdefault(event.chunk, []).append(event)
    return list(by_chunk.values())


def _split(histories: list[EventHistory]) -> tuple[list[EventHistory], list[EventHistory]]:
    """Return the chunks in the order of time, and those that chunks of a newer calendar overlap."""
    current: list[EventHistory] = []
    replaced: list[EventHistory] = []
    starts: list[datetime] = []
    for history in sorted(histories, key=lambda history: -history[-1].number):
        chunk = history[-1].chunk
        place = bisect(starts, chunk.start)
        overlaps = place > 0 and current[place - 1][-1].chunk.end > chunk.start
        after = place < len(starts) and starts[place] < chunk.end
        if overlaps or after:
            replaced.append(history)
        else:
            current.insert(place, history)
            starts.insert(place, chunk.start)
    return current, replaced


def _runs(current: list[EventHistory]) -> Iterator[tuple[list[EventHistory], bool]]:
    """Yield each run from the first chunk in trouble to the one that ends it, and whether it has ended."""
    run: list[EventHistory] = []
    quiet = 0
    for history in current:
        standing = history[-1].standing
        if not run and standing is not Standing.TROUBLE:
            continue
        run.append(history)
        quiet = quiet + (standing is Standing.QUIET) if standing is not Standing.TROUBLE else 0
        if standing is Standing.CALM or quiet == QUIET_CHUNKS:
            yield run, True
            run, quiet = [], 0
    if run:
        yield run, False


def _is_within(chunk: Chunk, spans: list[tuple[datetime, datetime]]) -> bool:
    place = bisect(spans, chunk.start, key=lambda span: span[0])
    return any(chunk.start < end and start < chunk.end for start, end in spans[max(place - 1, 0) : place + 1])


def _past_runs(histories: list[EventHistory]) -> Iterator[list[EventHistory]]:
    """Yield the runs of adjacent chunks that were in trouble once, and no longer are."""
    run: list[EventHistory] = []
    for history in sorted(histories, key=lambda history: (history[-1].chunk.start, history[-1].chunk.end)):
        if not any(event.standing is Standing.TROUBLE for event in history):
            continue
        if run and history[-1].chunk.start > max(past[-1].chunk.end for past in run):
            yield run
            run = []
        run.append(history)
    if run:
        yield run


def _incident(run: list[EventHistory], resolved: bool) -> VersionIncident:
    """Return the incident that a run of chunks makes, with its events in the order of the chunks."""
    troubled = [history[-1] for history in run if history[-1].standing is Standing.TROUBLE]
    events: list[IncidentEvent] = []
    previous: StoredVerdictEvent | None = None
    for history in run:
        now = history[-1]
        opening = _opening(history) if previous is None else None
        events += _chunk_events(history, opening)
        if now.standing is Standing.TROUBLE:
            if previous is not None and previous.severity is not now.severity:
                worse = now.severity is Severity.ALERT
                kind = IncidentEventKind.WORSE if worse else IncidentEventKind.BETTER
                events.append(_event(kind, now, previous.state))
            previous = now
    if resolved:
        events.append(_event(IncidentEventKind.RESOLVED, run[-1][-1], troubled[-1].state))
    return VersionIncident(
        state=IncidentState.RESOLVED if resolved else IncidentState.OPEN,
        first=run[0][-1].chunk.start,
        last=troubled[-1].chunk.start,
        read_until=run[-1][-1].chunk.end,
        severity=troubled[-1].severity,
        worst=_worst(troubled),
        reasons=troubled[-1].reasons,
        backfill=_opening(run[0]).backfill,
        events=tuple(events),
    )


def _withdrawn(run: list[EventHistory]) -> VersionIncident:
    """Return the incident of chunks that were in trouble once."""
    troubled = [event for history in run for event in history if event.standing is Standing.TROUBLE]
    events = [
        event
        for place, history in enumerate(run)
        for event in _chunk_events(history, None if place else _opening(run[0]))
    ]
    newest = max((history[-1] for history in run), key=lambda event: event.number)
    return VersionIncident(
        state=IncidentState.WITHDRAWN,
        first=run[0][-1].chunk.start,
        last=run[-1][-1].chunk.start,
        read_until=max(history[-1].chunk.end for history in run),
        severity=troubled[-1].severity,
        worst=_worst(troubled),
        reasons=troubled[-1].reasons,
        backfill=_opening(run[0]).backfill,
        events=(*events, _event(IncidentEventKind.WITHDRAWN, newest, troubled[-1].state)),
    )


def _opening(history: EventHistory) -> StoredVerdictEvent:
    return next(event for event in history if event.standing is Standing.TROUBLE)


def _chunk_events(history: EventHistory, opening: StoredVerdictEvent | None) -> Iterator[IncidentEvent]:
    """Yield the revisions of one chunk that changed what it means, and the opening where it came."""
    closed = [event for event in history if event.closed]
    if opening is not None and opening is closed[0]:
        yield _event(IncidentEventKind.OPENED, opening, None)
    for earlier, later in pairwise(closed):
        if earlier.meaning != later.meaning:
            yield _event(IncidentEventKind.REVISED, later, earlier.state, _why_revised(earlier, later))
        if later is opening:
            yield _event(IncidentEventKind.OPENED, later, None)


def _event(kind: IncidentEventKind, event: StoredVerdictEvent, before: State | None, why: str = "") -> IncidentEvent:
    reason = event.reasons[0] if event.reasons else ""
    return IncidentEvent(kind, event.chunk.start, before, event.state, f"{why}{reason}", event.derived_at)


def _why_revised(earlier: StoredVerdictEvent, later: StoredVerdictEvent) -> str:
    return "Revised by late labels: " if earlier.labels_as_of != later.labels_as_of else "Revised: "


def _worst(events: Sequence[StoredVerdictEvent]) -> Severity:
    return Severity.ALERT if any(event.severity is Severity.ALERT for event in events) else Severity.WARN
