"""Runs of the poll: one at a time; a request joins the run that is going on."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from threading import Event, Lock, Thread
from uuid import uuid4

from driftline.clock import Clock
from driftline.errors import DriftlineError, NotFound
from monitoring.poll.poller import PollSummary

log = logging.getLogger(__name__)
KEPT_RUNS = 100
"""How many of the newest runs stay readable."""


class PollRunState(StrEnum):
    """Whether a run is going on, has ended, or has failed."""

    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"


@dataclass(slots=True, eq=False)
class PollRun:
    """A run: a poll, and a second one if requests have joined the first; `summary` adds up both.

    `problem` says why it failed. `is_requested` is set while a request waits for a poll that begins after it.
    """

    began_at: datetime
    is_requested: bool
    id: str = field(default_factory=lambda: uuid4().hex[:12])
    ended_at: datetime | None = None
    summary: PollSummary | None = None
    problem: Exception | None = None
    is_extended: bool = False
    _ended: Event = field(default_factory=Event)

    @property
    def state(self) -> PollRunState:
        """The state at present."""
        if self.ended_at is None:
            return PollRunState.RUNNING
        return PollRunState.ENDED if self.problem is None else PollRunState.FAILED

    def wait(self, seconds: float) -> bool:
        """Wait until the run has ended, for so many seconds at most; return whether it has."""
        return self._ended.wait(seconds)

    def end(self, now: datetime) -> None:
        """Mark the run as ended, and wake the requests that wait for it."""
        self.ended_at = now
        self._ended.set()


class PollRuns:
    """The runs of a process; safe to use from several threads.

    Whatever was stored before a request is in the result that it gets: a request that joins a run adds a second poll to
    it, and one that comes during the second poll waits for the next run.
    """

    def __init__(self, poll: Callable[[bool], PollSummary], clock: Clock) -> None:
        """Take what polls (its argument says whether the poll is scheduled) and the wall clock."""
        self._poll, self._clock = poll, clock
        self._lock = Lock()
        self._running: PollRun | None = None
        self._next: PollRun | None = None
        self._kept: dict[str, PollRun] = {}

    def request(self) -> PollRun:
        """Return the run that polls for a request: the one that is going on, or a new one in the background."""
        with self._lock:
            running = self._running
            if running is None:
                running = self._running = self._keep(PollRun(self._clock(), is_requested=True))
                Thread(target=self._work, args=(running,), name="requested poll", daemon=True).start()
            elif not running.is_extended:
                running.is_requested = True
                self._keep(running)
            else:
                running = self._next = self._next or self._keep(PollRun(self._clock(), is_requested=True))
            return running

    def schedule(self) -> PollRun | None:
        """Poll as scheduled and return the run; do nothing and return None while another run is going on."""
        with self._lock:
            if self._running is not None:
                return None
            run = self._running = PollRun(self._clock(), is_requested=False)
        self._work(run)
        return run

    def find(self, run_id: str) -> PollRun:
        """Return a run that is going on, or one of the newest that were requested, changed something or failed.

        Raises:
            NotFound: no such run of this process.
        """
        with self._lock:
            run = self._kept.get(run_id)
        if run is None:
            raise NotFound(
                f"There is no run {run_id!r}; the newest {KEPT_RUNS} runs are kept until the process ends. "
                "POST /run-monitoring starts one."
            )
        return run

    def newest(self) -> list[PollRun]:
        """Return the runs that are kept, the newest first."""
        with self._lock:
            return list(self._kept.values())[::-1]

    def _work(self, run: PollRun | None) -> None:
        """Complete a run, and those that were requested meanwhile."""
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
                run.is_extended = is_extended  # from now on a request belongs to the next run
            if is_extended and not requested:
                return
            summary = self._poll(not requested)
            run.summary = summary if run.summary is None else run.summary.merge(summary)

    def _end(self, run: PollRun) -> PollRun | None:
        """End a run and return the one that waits for it."""
        with self._lock:
            if run.problem is not None or (run.summary is not None and run.summary.has_news):
                self._keep(run)
            self._running, self._next = self._next, None
            run.end(self._clock())
            return self._running

    def _keep(self, run: PollRun) -> PollRun:
        """Keep a run readable, and forget the oldest beyond `KEPT_RUNS`."""
        self._kept[run.id] = run
        for run_id in list(self._kept)[:-KEPT_RUNS]:
            del self._kept[run_id]
        return run
