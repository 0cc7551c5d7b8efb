"""Runs of the poll: requests join what goes on, and each result has what was stored before its request."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Event

import pytest

from driftline.errors import NotFound, Unavailable
from driftline.store.version_key import VersionKey
from monitoring import runs as runs_module
from monitoring.poll.computation import ChunkOutcome
from monitoring.poll.poller import PollSummary, VersionPoll
from monitoring.runs import PollRun, PollRuns, PollRunState

NOW = datetime(2026, 3, 1, tzinfo=UTC)
KEY = VersionKey(1, 1)


class Polls:
    """Polls that begin when they may, each of which computes one more chunk."""

    def __init__(self) -> None:
        self.scheduled: list[bool] = []
        self.began, self.may_end = Event(), Event()
        self.problem: Exception | None = None

    def __call__(self, scheduled: bool) -> PollSummary:
        self.scheduled.append(scheduled)
        self.began.set()
        assert self.may_end.wait(10)
        self.may_end.clear()
        if self.problem is not None:
            raise self.problem
        return PollSummary(1, (VersionPoll("churn", KEY, (ChunkOutcome(NOW, computed=True),)),), 0.5)

    def end(self) -> None:
        """Let the poll end that has begun."""
        assert self.began.wait(10)
        self.began.clear()
        self.may_end.set()


@pytest.fixture
def polls() -> Iterator[Polls]:
    polls = Polls()
    yield polls
    polls.may_end.set()


def ended(run: PollRun) -> PollSummary:
    assert run.wait(10)
    assert run.summary is not None
    return run.summary


def test_requests_during_a_poll_join_it_and_it_polls_once_more(polls: Polls) -> None:
    runs = PollRuns(polls, lambda: NOW)
    first = runs.request()
    assert polls.began.wait(10)
    assert runs.request() is runs.request() is first
    assert (first.state, runs.schedule()) == (PollRunState.RUNNING, None)
    polls.end()
    polls.end()
    summary = ended(first)
    assert (summary.batches, summary.chunks, len(summary.polls), summary.seconds) == (2, 2, 1, 1.0)
    assert (first.state, polls.scheduled) == (PollRunState.ENDED, [False, False])


def test_a_request_during_the_second_poll_gets_the_next_run(polls: Polls) -> None:
    runs = PollRuns(polls, lambda: NOW)
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
    assert runs.newest() == [following, first]


def test_a_request_makes_a_scheduled_run_poll_all_once_more(polls: Polls) -> None:
    polls.may_end.set()
    runs = PollRuns(polls, lambda: NOW)
    scheduled = runs.schedule()
    assert scheduled is not None
    assert ended(scheduled).batches == 1
    polls.began.clear()
    requested = runs.request()
    polls.end()
    assert ended(requested).batches == 1
    assert polls.scheduled == [True, False]
    assert runs.find(requested.id) is requested


def test_whoever_has_joined_a_run_that_fails_is_told(polls: Polls) -> None:
    polls.problem = Unavailable()
    runs = PollRuns(polls, lambda: NOW)
    run = runs.request()
    polls.end()
    assert run.wait(10)
    assert (run.state, run.problem) == (PollRunState.FAILED, polls.problem)
    polls.problem = None
    again = runs.request()
    polls.end()
    assert ended(again).batches == 1


def test_the_oldest_runs_are_forgotten(polls: Polls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_module, "KEPT_RUNS", 2)
    runs = PollRuns(polls, lambda: NOW)
    made = []
    for _ in range(3):
        made.append(runs.request())
        polls.end()
        ended(made[-1])
    assert runs.newest() == made[:0:-1]
    with pytest.raises(NotFound, match="POST /run-monitoring starts one"):
        runs.find(made[0].id)
