"""Runs of the poll: requests join what goes on, and each result has what was stored before its request."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest

from driftline.errors import NotFound, Unavailable
from driftline.store.version_key import VersionKey
from monitoring import runs as runs_module
from monitoring.poll.outcomes import ChunkOutcome, PollOutcome, VersionPoll
from monitoring.run_record import PollRunState, RunRecord
from monitoring.runs import PollRun, PollRuns

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = VersionKey(1, 1)


class Polls:
    """Polls that begin when they may, each of which computes one more chunk."""

    def __init__(self) -> None:
        self.scheduled: list[bool] = []
        self.began, self.may_end = Event(), Event()
        self.problem: Exception | None = None
        self.batches = 1

    def __call__(self, scheduled: bool) -> PollOutcome:
        self.scheduled.append(scheduled)
        self.began.set()
        assert self.may_end.wait(10)
        self.may_end.clear()
        if self.problem is not None:
            raise self.problem
        if not self.batches:
            return PollOutcome(0, (), 0.5)
        return PollOutcome(1, (VersionPoll("churn", KEY, (ChunkOutcome(NOW, computed=True),)),), 0.5)

    def end(self) -> None:
        """Let the poll end that has begun."""
        assert self.began.wait(10)
        self.began.clear()
        self.may_end.set()


class MemoryLog:
    """Stores runs in memory, or refuses to."""

    def __init__(self) -> None:
        self.records: dict[str, RunRecord] = {}
        self.available = True

    def begin(self, run: RunRecord) -> None:
        self.end(self.records.get(run.id, run))

    def end(self, run: RunRecord) -> None:
        if not self.available:
            raise Unavailable
        self.records[run.id] = run

    def read(self, run_id: str) -> RunRecord | None:
        return self.records.get(run_id)

    def newest(self, most: int) -> list[RunRecord]:
        return list(self.records.values())[::-1][:most]


def runs_of(polls: "Polls", run_log: MemoryLog | None = None) -> PollRuns:
    """Return runs whose clock goes on by a second with each look at it."""
    seconds = itertools.count()
    return PollRuns(polls, lambda: NOW + timedelta(seconds=next(seconds)), run_log or MemoryLog())


@pytest.fixture
def polls() -> Iterator[Polls]:
    polls = Polls()
    yield polls
    polls.may_end.set()


def ended(run: PollRun) -> PollOutcome:
    assert run.wait(10)
    assert run.summary is not None
    return run.summary


def test_requests_during_a_poll_join_it_and_it_polls_once_more(polls: Polls) -> None:
    runs = runs_of(polls)
    first = runs.request()
    assert polls.began.wait(10)
    assert runs.request() is runs.request() is first
    assert (first.record.state, runs.schedule()) == (PollRunState.RUNNING, None)
    polls.end()
    polls.end()
    summary = ended(first)
    assert (summary.batches, summary.chunks, len(summary.polls), summary.seconds) == (2, 2, 1, 1.0)
    assert (first.record.state, polls.scheduled) == (PollRunState.ENDED, [False, False])


def test_a_request_during_the_second_poll_gets_the_next_run(polls: Polls) -> None:
    runs = runs_of(polls)
    first = runs.request()
    assert polls.began.wait(10)
    runs.request()
    polls.end()
    assert polls.began.wait(10)
    following = runs.request()
    assert following is runs.request() is not first
    polls.end()
    polls.end()
    assert (ended(first).batches, ended(following).batches) == (2, 1)
    assert [run.id for run in runs.newest()] == [following.id, first.id]


def test_a_request_makes_a_scheduled_run_poll_all_once_more(polls: Polls) -> None:
    polls.may_end.set()
    runs = runs_of(polls)
    scheduled = runs.schedule()
    assert scheduled is not None
    assert ended(scheduled).batches == 1
    polls.began.clear()
    requested = runs.request()
    polls.end()
    assert ended(requested).batches == 1
    assert polls.scheduled == [True, False]
    assert runs.read(requested.id) == requested.record


def test_whoever_has_joined_a_run_that_fails_is_told(polls: Polls) -> None:
    polls.problem = Unavailable()
    runs = runs_of(polls)
    run = runs.request()
    polls.end()
    assert run.wait(10)
    assert (run.record.state, run.problem) == (PollRunState.FAILED, polls.problem)
    polls.problem = None
    again = runs.request()
    polls.end()
    assert ended(again).batches == 1


def test_a_run_is_stored_when_it_begins_and_when_it_ends(polls: Polls) -> None:
    run_log = MemoryLog()
    runs = runs_of(polls, run_log)
    requested = runs.request()
    assert run_log.records[requested.id].state is PollRunState.RUNNING
    polls.end()
    ended(requested)
    assert run_log.records == {requested.id: requested.record}
    assert run_log.records[requested.id].summary == requested.summary
    with pytest.raises(NotFound, match="POST /run-monitoring starts one"):
        runs.read("0")


def test_a_scheduled_run_without_news_is_not_stored(polls: Polls) -> None:
    run_log = MemoryLog()
    polls.batches = 0
    polls.may_end.set()
    assert runs_of(polls, run_log).schedule() is not None
    assert run_log.records == {}


def test_a_run_that_cannot_be_stored_goes_on_and_stays_readable_here(polls: Polls) -> None:
    run_log = MemoryLog()
    run_log.available = False
    runs = runs_of(polls, run_log)
    requested = runs.request()
    polls.end()
    ended(requested)
    assert runs.read(requested.id) == requested.record
    assert runs.newest() == [requested.record]


def test_a_long_run_shows_that_it_goes_on(polls: Polls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "SIGN_OF_LIFE_SECONDS", 0.001)
    run_log, signs = MemoryLog(), Event()
    runs = runs_of(polls, run_log)
    requested = runs.request()
    monkeypatch.setattr(run_log, "begin", lambda run: signs.set())
    assert signs.wait(10)
    polls.end()
    ended(requested)
