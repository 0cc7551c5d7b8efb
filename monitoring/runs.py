"""Runs of the poll, one at a time; a request joins the current run. Their outcomes are stored."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Protocol
from uuid import uuid4

from driftline import spans
from driftline.clock import Clock
from driftline.errors import DriftlineError, NotFound
from driftline.spans import SpanKind
from monitoring.poll.outcomes import PollOutcome
from monitoring.run_record import PollRunState, RunRecord

log = logging.getLogger(__name__)
LISTED_RUNS = 100
"""How many of the newest runs a list contains."""
SIGN_OF_LIFE_SECONDS = 10.0
"""How often a run that goes on is stored, so that other monitors know that it does."""


@dataclass(slots=True, eq=False)
class PollRun:
    """A run: a poll, and a second one if requests have joined the first; `summary` adds up both.

    `problem` says why it failed. `is_requested` is set while a request waits for a poll that begins after it;
    `is_stored`, once the run is one that stays readable. `traces` are those of the requests that the next poll serves.
    """

    began_at: datetime
    is_requested: bool
    id: str = field(default_factory=lambda: uuid4().hex[:12])
    ended_at: datetime | None = None
    summary: PollOutcome | None = None
    problem: Exception | None = None
    is_extended: bool = False
    is_stored: bool = False
    traces: list[str | None] = field(default_factory=list)
    _ended: Event = field(default_factory=Event)

    @property
    def record(self) -> RunRecord:
        """The current record; the message of an unexpected error of the monitor is not shown."""
        problem = self.problem
        message = problem.message if isinstance(problem, DriftlineError) else DriftlineError().message
        return RunRecord(
            id=self.id,
            began_at=self.began_at,
            ended_at=self.ended_at,
            state=PollRunState.of(self.ended_at is not None, problem),
            problem=None if problem is None else message,
            summary=self.summary,
        )

    def wait(self, seconds: float) -> bool:
        """Wait for the end of the run, at most this many seconds; return whether it has ended."""
        return self._ended.wait(seconds)

    def wake(self) -> None:
        """Wake the requests that wait for the run, which has ended."""
        self._ended.set()


class RunLog(Protocol):
    """Where runs are stored; each method raises `DriftlineError` where that is impossible."""

    def begin(self, run: RunRecord) -> None:
        """Store a running run, or a sign of life of it."""

    def end(self, run: RunRecord) -> None:
        """Store the outcome of a run."""

    def read(self, run_id: str) -> RunRecord | None:
        """Return a run; None where there is none."""

    def newest(self, most: int) -> Sequence[RunRecord]:
        """Return the newest runs, the newest first."""


class PollRuns:
    """The runs of a process; safe to use from several threads.

    Whatever was stored before a request is in the result that it gets: a request that joins a run adds a second poll to
    it, and one that comes during the second poll waits for the next run.
    """

    def __init__(self, poll: Callable[[bool], PollOutcome], clock: Clock, run_log: RunLog) -> None:
        """Take what polls (its argument says whether the poll is scheduled), the clock, and where runs are stored."""
        self._poll, self._clock, self._log = poll, clock, run_log
        self._lock = Lock()
        self._running: PollRun | None = None
        self._next: PollRun | None = None
        self._not_stored: deque[RunRecord] = deque(maxlen=LISTED_RUNS)

    def request(self) -> PollRun:
        """Return the run that polls for a request: the one that is going on, or a new one in the background."""
        with self._lock:
            run, is_new = self._running, self._running is None
            if run is None:
                run = self._running = PollRun(self._clock(), is_requested=True)
            elif not run.is_extended:
                run.is_requested = True
            else:
                run = self._next = self._next or PollRun(self._clock(), is_requested=True)
            was_stored, run.is_stored = run.is_stored, True
            run.traces.append(spans.traceparent())
        if not was_stored:
            self._try_to_store(self._log.begin, run.record)
            Thread(target=self._show_life, args=(run,), name="sign of life", daemon=True).start()
        if is_new:
            Thread(target=self._work, args=(run,), name="requested poll", daemon=True).start()
        return run

    def schedule(self) -> PollRun | None:
        """Poll as scheduled and return the run; do nothing and return None while another run is going on."""
        with self._lock:
            if self._running is not None:
                return None
            run = self._running = PollRun(self._clock(), is_requested=False)
        self._work(run)
        return run

    def read(self, run_id: str) -> RunRecord:
        """Return a run of any monitor: one that was requested, changed something or failed.

        Raises:
            NotFound: no such run. Unavailable: the database is unavailable.
        """
        record = self._own_records().get(run_id) or self._log.read(run_id)
        if record is None:
            raise NotFound(f"There is no run {run_id!r}, or not any more. POST /run-monitoring starts one.")
        return record

    def newest(self) -> list[RunRecord]:
        """Return the newest runs of all monitors, the newest first.

        Raises:
            Unavailable: the database is unavailable.
        """
        records = {record.id: record for record in self._log.newest(LISTED_RUNS)} | self._own_records()
        return sorted(records.values(), key=lambda record: record.began_at, reverse=True)[:LISTED_RUNS]

    def _own_records(self) -> dict[str, RunRecord]:
        """Return the runs of this process that have not ended, and those whose outcome could not be stored."""
        with self._lock:
            current = [run.record for run in (self._running, self._next) if run is not None and run.is_stored]
            return {record.id: record for record in (*self._not_stored, *current)}

    def _try_to_store(self, store: Callable[[RunRecord], None], record: RunRecord) -> bool:
        """Store a run; return whether that was possible. A run does not fail because it cannot be stored."""
        try:
            store(record)
        except DriftlineError as error:
            log.warning("The run %s cannot be stored: %s", record.id, error.message)
            return False
        return True

    def _show_life(self, run: PollRun) -> None:
        """Store signs of life of a run until it has ended."""
        while not run.wait(SIGN_OF_LIFE_SECONDS):
            self._try_to_store(self._log.begin, run.record)

    def _work(self, run: PollRun | None) -> None:
        """Complete a run, and the runs that were requested meanwhile."""
        while run is not None:
            try:
                self._complete(run)
            except DriftlineError as error:
                run.problem = error
            except Exception as error:
                log.exception("The poll failed.")
                run.problem = error
            run = self._end(run)

    def _complete(self, run: PollRun) -> None:
        """Poll, and once more if a request has come meanwhile."""
        for is_extended in (False, True):
            with self._lock:
                requested, run.is_requested = run.is_requested, False
                traces, run.traces = run.traces, []
                run.is_extended = is_extended  # from now on a request belongs to the next run
            if is_extended and not requested:
                return
            with spans.continue_traces("poll run", SpanKind.INTERNAL, traces):
                summary = self._poll(not requested)
            run.summary = summary if run.summary is None else run.summary.merge(summary)

    def _end(self, run: PollRun) -> PollRun | None:
        """End a run, store its outcome, and return the run that waits for it."""
        with self._lock:
            run.ended_at = self._clock()
            run.is_extended = True
            has_news = run.problem is not None or (run.summary is not None and run.summary.has_news)
            run.is_stored = run.is_stored or has_news
        if run.is_stored and not self._try_to_store(self._log.end, run.record):
            self._not_stored.append(run.record)
        with self._lock:
            self._running, self._next = self._next, None
            run.wake()
            return self._running
