"""Incidents derived from verdict events."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evidence.chunk_evidence import ChunkEvidence
from driftline.engine.results import State
from monitoring.incidents.derivation import VersionIncident, derive_incidents
from monitoring.incidents.standing import StoredVerdictEvent

FIRST = datetime(2026, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)
OK, WARN, ALERT, PENDING, EMPTY = State.OK, State.WARN, State.ALERT, State.PENDING_LABELS, State.NO_DATA


class Log:
    """Verdict events of daily chunks, numbered in the order in which they are added."""

    def __init__(self) -> None:
        self.events: list[StoredVerdictEvent] = []
        self._numbers: Iterator[int] = count(1)

    def add(
        self,
        day: int,
        state: State,
        *,
        evidence: ChunkEvidence | None = None,
        closed: bool = True,
        labels: datetime | None = None,
        days: int = 1,
    ) -> "Log":
        number = next(self._numbers)
        start = FIRST + day * DAY
        at, reasons = FIRST + timedelta(days=100, minutes=number), (f"{state} on day {day}.",)
        chunk = Chunk(start, start + days * DAY)
        self.events.append(StoredVerdictEvent(number, chunk, state, closed, False, reasons, evidence, labels, at))
        return self

    def incidents(self) -> list[VersionIncident]:
        return derive_incidents(self.events)


def log_of(*states: State) -> Log:
    log = Log()
    for day, state in enumerate(states):
        log.add(day, state)
    return log


def spans(log: Log) -> list[tuple[int, int, str]]:
    return [((i.first - FIRST).days, (i.last - FIRST).days, str(i.state)) for i in log.incidents()]


def kinds(incident: VersionIncident) -> list[tuple[str, int]]:
    return [(str(event.kind), (event.chunk_start - FIRST).days) for event in incident.events]


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((OK, OK), []),
        ((OK, WARN, ALERT, OK), [(1, 2, "resolved")]),
        ((WARN, OK, ALERT), [(0, 0, "resolved"), (2, 2, "open")]),
        ((ALERT, PENDING, WARN), [(0, 2, "open")]),
        ((ALERT, PENDING, PENDING, WARN), [(0, 0, "resolved"), (3, 3, "open")]),
        ((ALERT, PENDING, EMPTY, PENDING), [(0, 0, "resolved")]),
        ((ALERT, EMPTY, EMPTY), [(0, 0, "open")]),
    ],
)
def test_without_a_detector_an_incident_is_a_run_of_trouble(
    states: tuple[State, ...], expected: list[tuple[int, int, str]]
) -> None:
    assert spans(log_of(*states)) == expected


def test_events_say_what_happened() -> None:
    (incident,) = log_of(OK, WARN, ALERT, WARN, OK).incidents()
    assert kinds(incident) == [("opened", 1), ("worse", 2), ("better", 3), ("resolved", 4)]
    assert (incident.severity, incident.worst, incident.reasons) == ("warn", "alert", ("warn on day 3.",))


def test_a_detectors_incident_lasts_as_long_as_the_detector_says() -> None:
    log = Log().add(0, WARN, evidence=ChunkEvidence(warning=True))
    log.add(1, ALERT, evidence=ChunkEvidence(alert=True, incident_since=FIRST + DAY))
    log.add(2, WARN, evidence=ChunkEvidence(incident_since=FIRST + DAY))
    log.add(3, PENDING, evidence=ChunkEvidence())
    assert spans(log) == [(1, 2, "resolved")]


def test_an_open_chunk_neither_opens_nor_ends_an_incident() -> None:
    log = log_of(OK, ALERT).add(2, PENDING, closed=False).add(3, WARN, closed=False)
    assert spans(log) == [(1, 1, "open")]
    assert spans(Log().add(0, ALERT, closed=False)) == []


def test_late_labels_that_clear_the_only_chunk_withdraw_its_incident() -> None:
    log = log_of(OK, ALERT, OK).add(1, OK, labels=FIRST + 9 * DAY)
    (incident,) = log.incidents()
    assert (incident.state, incident.worst) == ("withdrawn", "alert")
    assert kinds(incident) == [("opened", 1), ("revised", 1), ("withdrawn", 1)]
    assert incident.events[1].reason == "Revised by late labels: ok on day 1."


def test_late_labels_that_reveal_trouble_open_an_incident_in_the_past() -> None:
    (incident,) = log_of(OK, PENDING, OK).add(1, ALERT, labels=FIRST + 9 * DAY).incidents()
    assert kinds(incident) == [("revised", 1), ("opened", 1), ("resolved", 2)]


def test_late_labels_join_two_incidents_and_split_one() -> None:
    assert spans(log_of(ALERT, OK, ALERT, OK).add(1, WARN)) == [(0, 2, "resolved")]
    assert spans(log_of(ALERT, ALERT, ALERT, OK).add(1, OK)) == [(0, 0, "resolved"), (2, 2, "resolved")]


def test_chunks_of_a_newer_calendar_replace_those_they_overlap() -> None:
    log = log_of(OK, ALERT, ALERT).add(0, OK, days=7)
    assert spans(log) == [(1, 2, "withdrawn")]


def test_events_of_a_chunk_are_read_in_the_order_of_their_numbers() -> None:
    log = log_of(OK, ALERT, OK)
    log.events.reverse()
    assert spans(log) == [(1, 1, "resolved")]
