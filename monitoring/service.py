"""The monitor as a running service: polls one at a time, keeps the reports fresh, remembers how it last went."""

import logging
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine

from driftline.clock import Clock
from driftline.engine.chunks import Chunk
from driftline.engine.results import Result
from driftline.errors import DriftlineError, NotFound, Unavailable
from driftline.objects import ObjectStore
from driftline.report.view import ChunkView
from driftline.store import registry
from driftline.store.database import translated
from monitoring.poll.poller import PollSummary, poll_once
from monitoring.poll.revisions import Revision, RevisionStore
from monitoring.poll.verdicts import StoredVerdict, VerdictStore
from monitoring.poll.watched import VersionKey, chunk_at, clock_of
from monitoring.report import reports
from monitoring.report.chunk_views import ChunkRange, read_chunks

log = logging.getLogger(__name__)
REPORTED = 400
"""The reports hold at most this many chunks: their cost must not follow the history."""


@dataclass(frozen=True, slots=True)
class LastPoll:
    """How the last poll went: when it ended, what it did, or why it could not."""

    at: datetime
    summary: PollSummary | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model version, the model's clock, and its chunks, oldest first."""

    version: registry.Version
    clock: datetime
    chunks: list[ChunkView]


@dataclass(frozen=True, slots=True)
class ChunkHistory:
    """All that was ever said of one chunk: its revisions with their results, and the verdicts, oldest first."""

    version: registry.Version
    chunk: Chunk
    revisions: list[tuple[Revision, tuple[Result, ...]]]
    verdicts: list[StoredVerdict]


class Monitor:
    """Polls and reads for the web pages and the scheduler alike; safe to use from several threads."""

    def __init__(self, engine: Engine, output: ObjectStore, clock: Clock) -> None:
        """Take the database, the place of the reports and the wall's clock; nothing is connected."""
        self.engine = engine
        self.last: LastPoll | None = None
        self._output, self._clock = output, clock
        self._one_at_a_time = Lock()
        self._reports_are_current = False

    def poll(self, *, scheduled: bool) -> PollSummary:
        """Poll, then write the reports where they are not current; waits for a poll that is under way.

        Raises:
            Unavailable: the database is away, or its schema is not this version's.
        """
        with self._one_at_a_time:
            try:
                summary = self._poll_and_report(scheduled)
            except DriftlineError as error:
                self.last = LastPoll(self._clock(), problem=error.message)
                raise
            self.last = LastPoll(self._clock(), summary)
            return summary

    def models(self) -> dict[str, list[int]]:
        """Give the ready versions of each model, oldest first."""
        with translated(), self.engine.connect() as connection:
            found: dict[str, list[int]] = {}
            for name, version in registry.versions(connection):
                found.setdefault(name, []).append(version)
        return found

    def status(self, name: str, version: int | None, span: ChunkRange) -> ModelStatus:
        """Read a model's chunks as they stand, of its newest version where none is named.

        Raises:
            NotFound: no such model or version.
        """
        with translated():
            loaded = registry.load(self.engine, name, version)
            with self.engine.connect() as connection:
                clock = clock_of(connection, loaded, self._clock())
                return ModelStatus(loaded, clock, read_chunks(connection, loaded, clock, span))

    def history(self, name: str, version: int | None, instant: datetime) -> ChunkHistory:
        """Read all that was ever said of the chunk that holds an instant.

        Raises:
            NotFound: no such model or version, or nothing was said of that chunk.
        """
        with translated():
            loaded = registry.load(self.engine, name, version)
            key, chunk = VersionKey(loaded.model_number, loaded.number), chunk_at(loaded.spec, instant)
            store = RevisionStore(key)
            with self.engine.connect() as connection:
                revisions = store.history(connection, chunk.start)
                found = [(one, store.results_of(connection, chunk.start, one.number)) for one in revisions]
                verdicts = VerdictStore(key).history(connection, chunk.start)
        if not found:
            raise NotFound(f"Nothing was said of {chunk.start.isoformat()}; `/models/{name}/chunks` lists the chunks.")
        return ChunkHistory(loaded, chunk, found, verdicts)

    def _poll_and_report(self, scheduled: bool) -> PollSummary:
        """Poll and report; reports are current only once written, since whatever fails before may have changed them."""
        were_current, self._reports_are_current = self._reports_are_current, False
        summary = poll_once(self.engine, self._clock(), scheduled=scheduled)
        unchanged = were_current and not any(poll.changed for poll in summary.polls)
        self._reports_are_current = (unchanged and self._reports_are_there()) or self._report()
        return summary

    def _reports_are_there(self) -> bool:
        """Look for the reports; where that cannot be said, they are missing."""
        try:
            return reports.are_there(self._output)
        except Unavailable:
            return False

    def _report(self) -> bool:
        """Write the reports anew; say whether they could be written."""
        newest = [
            self.status(name, versions[-1], ChunkRange(most=REPORTED)) for name, versions in self.models().items()
        ]
        try:
            reports.write(self._output, [(one.version, one.chunks) for one in newest if one.chunks])
        except Unavailable as error:
            log.warning("The reports could not be written to %s: %s", self._output.address, error)
            return False
        return True


def run_every(monitor: Monitor, seconds: float) -> BackgroundScheduler:
    """Start the scheduled polls in the background: one at a time, missed ones rolled into one."""

    def poll() -> None:
        try:
            monitor.poll(scheduled=True)
        except DriftlineError as error:
            log.warning("The poll could not be done: %s", error)

    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(poll, "interval", seconds=seconds, max_instances=1, coalesce=True, misfire_grace_time=None)
    scheduler.start()
    return scheduler
