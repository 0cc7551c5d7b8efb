"""The running monitor: runs one poll at a time, keeps the reports current, and answers queries."""

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import Engine, func, select

from driftline.clock import Clock
from driftline.engine.calendar import LONGEST_CHUNK, chunk_at
from driftline.engine.chunking.chunks import Chunk
from driftline.engine.evaluation.reference import fit_reference
from driftline.engine.results import Result
from driftline.errors import DriftlineError, InvalidInput, NotFound
from driftline.models.registered_models import revised_spec
from driftline.objects import ObjectStore
from driftline.report.document.content import ReportContent
from driftline.report.view import ChunkView
from driftline.store.database import translated
from driftline.store.rows.reading.batch_origins import BatchOrigin, origins_of
from driftline.store.sources import ingest_log
from driftline.store.sources.ingest_log import IngestEntry, LogFilter
from driftline.store.tables import model_versions, models, verdict_events
from driftline.store.versions import model_list, registry
from driftline.store.versions.model_list import SpecRevision
from driftline.store.versions.references import read_reference
from driftline.store.versions.roles import Role, roles_of
from monitoring.alerts.configuration import AlertConfiguration
from monitoring.alerts.planning import Planner, plan_alerts
from monitoring.incidents.stored_incidents import IncidentFilter, StoredIncident, find_incidents
from monitoring.incidents.update import update_incidents
from monitoring.metrics.polls import PollMetrics
from monitoring.poll.monitored_version import clock_of
from monitoring.poll.outcomes import PollOutcome
from monitoring.poll.poller import poll_once
from monitoring.poll.results.revisions import Revision, RevisionStore
from monitoring.poll.results.verdicts import StoredVerdict, VerdictStore
from monitoring.report.chunk_views import ChunkRange, ModelStatus, read_chunks
from monitoring.report.column_drift import ColumnDrift, read_column_drift
from monitoring.report.files.current_reports import CurrentReports, ReportedVersion
from monitoring.report.model_events import ModelEvent, read_events
from monitoring.report.model_report import REPORT_CHUNKS, report_content
from monitoring.report.overview import Overview, OverviewFilter, read_overview
from monitoring.report.spec_preview import PREVIEWED, SpecPreview, read_preview
from monitoring.report.stored_results import ResultFilter, ResultRange, ResultRows, read_results
from monitoring.run_store import RunStore
from monitoring.runs import PollRuns

log = logging.getLogger(__name__)
COLUMN_CHUNKS = 30
"""How many chunks before and after one the page of its column has."""


@dataclass(frozen=True, slots=True)
class LastPoll:
    """The last poll: when it ended, and its outcome or the reason why it failed."""

    at: datetime
    summary: PollOutcome | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ColumnStatus:
    """A column of a model version in one chunk: that chunk, those around it (oldest first), and where it drifted."""

    version: registry.Version
    chunk: ChunkView
    chunks: list[ChunkView]
    drift: ColumnDrift


@dataclass(frozen=True, slots=True)
class ChunkRevisions:
    """All revisions of one chunk of a version, oldest first."""

    version: registry.Version
    chunk: Chunk
    revisions: list[Revision]


@dataclass(frozen=True, slots=True)
class ChunkHistory:
    """All revisions of one chunk with their results, and all its verdicts, oldest first."""

    version: registry.Version
    chunk: Chunk
    revisions: list[tuple[Revision, tuple[Result, ...]]]
    verdicts: list[StoredVerdict]


@dataclass(frozen=True, slots=True)
class ChunkLineage:
    """Where the results of a chunk revision come from: the version, the revision with its provenance, its batches."""

    version: registry.Version
    revision: Revision
    batches: list[BatchOrigin]


class MonitorService:
    """Polls and reads on behalf of the web routes and the scheduler; safe to use from several threads."""

    def __init__(
        self,
        engine: Engine,
        output: ObjectStore,
        clock: Clock,
        planner: Callable[[], Planner] = lambda: Planner(AlertConfiguration()),
    ) -> None:
        """Store the database engine, the object store of the reports and the wall clock; nothing is connected.

        `planner` returns what alerts are planned with at each poll; by default there are no channels.
        """
        self.engine = engine
        self.last: LastPoll | None = None
        self.runs = PollRuns(lambda scheduled: self.poll(scheduled=scheduled), clock, RunStore(engine, clock))
        self._clock, self._planner = clock, planner
        self._reports = CurrentReports(output, lambda name, most: self.status(name, None, ChunkRange(most=most)))
        self._one_at_a_time = Lock()
        self.poll_metrics: PollMetrics | None = None

    def poll(self, *, scheduled: bool) -> PollOutcome:
        """Poll, then write the reports if they are not current; waits for a poll that is running.

        Raises:
            Unavailable: the database is unavailable, or its schema is not this version's.
        """
        with self._one_at_a_time:
            try:
                with self.poll_metrics.count() if self.poll_metrics else nullcontext():
                    summary = self._poll_and_report(scheduled)
            except DriftlineError as error:
                self.last = LastPoll(self._clock(), problem=error.message)
                raise
            self.last = LastPoll(self._clock(), summary)
            return summary

    def versions(self, name: str) -> dict[int, Role | None]:
        """Return the ready versions of a model with their roles, oldest first.

        Raises:
            NotFound: it has none; the error lists the models that have one.
        """
        with translated(), self.engine.connect() as connection:
            versions = [version for _, version in registry.versions(connection, name)]
            roles = roles_of(connection, name) if versions else None
        if roles is None:
            ready = ", ".join(self.models()) or "none"
            raise NotFound(f"No model named {name!r} has a ready version. Ready: {ready}.")
        return {version: roles.of(version) for version in versions}

    def events(self, name: str) -> list[ModelEvent]:
        """Return when versions of a model became champion and when it was trained again, oldest first.

        Raises:
            NotFound: no such model.
        """
        with translated(), self.engine.connect() as connection:
            return read_events(connection, name)

    def models(self) -> dict[str, list[int]]:
        """Return the ready versions of each model, oldest first."""
        with translated(), self.engine.connect() as connection:
            by_model: dict[str, list[int]] = {}
            for name, version in registry.versions(connection):
                by_model.setdefault(name, []).append(version)
        return by_model

    def overview(self, overview_filter: OverviewFilter, number: int) -> Overview:
        """Return a page of the overview of all models."""
        with translated(), self.engine.connect() as connection:
            return read_overview(connection, self._clock(), overview_filter, number)

    def incidents(self, incident_filter: IncidentFilter) -> list[StoredIncident]:
        """Return the incidents that match a filter, the newest first."""
        with translated(), self.engine.connect() as connection:
            return find_incidents(connection, incident_filter)

    def status(self, name: str, version: int | None, span: ChunkRange) -> ModelStatus:
        """Return the current chunks of a model version, by default of the one that is used.

        Raises:
            NotFound: no such model or version.
        """
        with translated():
            loaded = registry.load(self.engine, name, version)
            with self.engine.connect() as connection:
                clock = clock_of(connection, loaded, self._clock())
                first_chunks = RevisionStore(loaded.key).first_chunks(connection)
                return ModelStatus(loaded, clock, read_chunks(connection, loaded, clock, span), first_chunks)

    def report(self, name: str, version: int | None, requested: ChunkRange) -> ReportContent:
        """Return the content of the report on chunks of a model version, compared with equally many before them.

        Raises:
            NotFound: no such model or version, or it has no chunk in the range.
        """
        status = self.status(name, version, requested)
        if not status.chunks:
            raise NotFound(f"{name} has no chunks in this range; `/api/v1/models/{name}/chunks` lists the newest ones.")
        first, end = status.chunks[0].start, status.chunks[-1].end
        previous = ChunkRange(first - (end - first), first - timedelta(microseconds=1), segments=(None,))
        with translated(), self.engine.connect() as connection:
            earlier = read_chunks(connection, status.version, status.clock, previous)
        return report_content(status.version, status.chunks, earlier)

    def newest_report(self, name: str) -> ReportContent:
        """Return the content of the report on the newest chunks of the version of a model that is used."""
        return self.report(name, None, ChunkRange(most=REPORT_CHUNKS))

    def column(self, name: str, version: int | None, column: str, instant: datetime) -> ColumnStatus:
        """Return the drift of a column in the chunk that contains an instant, with the chunks before and after it.

        Raises:
            NotFound: no such model, version or watched column, or nothing is stored for that chunk.
        """
        with translated():
            loaded = registry.load(self.engine, name, version)
            watched = [watched_column.name for watched_column in loaded.spec.watched]
            if column not in watched:
                raise NotFound(f"{name} has no column {column!r}. Columns: {', '.join(watched)}.")
            start = chunk_at(loaded.spec, instant).start
            reach = COLUMN_CHUNKS * LONGEST_CHUNK[loaded.spec.period]
            with self.engine.connect() as connection:
                clock = clock_of(connection, loaded, self._clock())
                span = ChunkRange(start - reach, start + reach, segments=(None,))
                chunks = read_chunks(connection, loaded, clock, span)
                chunk = next((view for view in chunks if view.start == start), None)
                if chunk is None:
                    raise NotFound(_no_chunk(name, start))
                return ColumnStatus(loaded, chunk, chunks, read_column_drift(connection, loaded, chunk.chunk, column))

    def spec_revisions(self, name: str, version: int | None) -> tuple[registry.Version, tuple[SpecRevision, ...]]:
        """Return a model version, by default the one that is used, and the revisions of its spec, oldest first.

        Raises:
            NotFound: no such model or version.
        """
        with translated():
            loaded = registry.load(self.engine, name, version)
            with self.engine.connect() as connection:
                summaries = model_list.versions_of(connection, name)
        return loaded, next(summary.revisions for summary in summaries if summary.version == loaded.number)

    def spec_preview(self, version: registry.Version, changes: Mapping[str, Any]) -> SpecPreview:
        """Return the verdicts that past chunks would have with some fields of the spec changed; nothing is written.

        Raises:
            InvalidInput: a field is not valid, or it changes more than verdicts.
        """
        if unsupported := sorted(changes.keys() - set(PREVIEWED)):
            raise InvalidInput(f"There is no preview of {', '.join(unsupported)}; preview {', '.join(PREVIEWED)}.")
        spec = revised_spec(version.spec, changes)
        fitted = fit_reference(read_reference(version.reference_uri), spec)
        with translated(), self.engine.connect() as connection:
            clock = clock_of(connection, version, self._clock())
            return read_preview(connection, version, spec, fitted, clock)

    def ingest_log(
        self, name: str, most: int, log_filter: LogFilter
    ) -> tuple[registry.Version, list[tuple[int, IngestEntry]]]:
        """Return the version of a model that is used and the newest entries of its ingest log with their numbers.

        Raises:
            NotFound: no such model, or no ready version.
        """
        with translated():
            loaded = registry.load(self.engine, name)
            with self.engine.connect() as connection:
                return loaded, ingest_log.newest(connection, loaded.model_number, most, log_filter)

    def newest_change(self) -> int:
        """Return the number of the newest verdict event, which changes as soon as any verdict does; 0 without any."""
        with translated(), self.engine.connect() as connection:
            return int(connection.execute(select(func.coalesce(func.max(verdict_events.c.number), 0))).scalar_one())

    def results(
        self, name: str, version: int | None, span: ResultRange, result_filter: ResultFilter
    ) -> tuple[int, ResultRows]:
        """Return the number of a model version, by default of the one that is used, and its results in a range.

        Raises:
            NotFound: no such model or version.
        """
        with translated(), self.engine.connect() as connection:
            key = registry.version_key(connection, name, version)
            return key.version, read_results(connection, key, span, result_filter)

    def revisions(self, name: str, version: int | None, instant: datetime) -> ChunkRevisions:
        """Return all revisions of the chunk that contains an instant.

        Raises:
            NotFound: no such model or version, or no results are stored for that chunk.
        """
        with translated():
            loaded = registry.load(self.engine, name, version)
            chunk = chunk_at(loaded.spec, instant)
            with self.engine.connect() as connection:
                revisions = RevisionStore(loaded.key).history(connection, chunk.start)
        if not revisions:
            raise NotFound(_no_chunk(name, chunk.start))
        return ChunkRevisions(loaded, chunk, revisions)

    def history(self, of_chunk: ChunkRevisions) -> ChunkHistory:
        """Return the results and the verdicts of a chunk's revisions."""
        key, start = of_chunk.version.key, of_chunk.chunk.start
        store = RevisionStore(key)
        with translated(), self.engine.connect() as connection:
            with_results = [(r, store.results_of(connection, start, r.number)) for r in of_chunk.revisions]
            verdicts = VerdictStore(key).history(connection, start)
        return ChunkHistory(of_chunk.version, of_chunk.chunk, with_results, verdicts)

    def lineage(self, of_chunk: ChunkRevisions, number: int | None) -> ChunkLineage:
        """Return where the results of a revision of a chunk come from; by default of its newest revision.

        Raises:
            NotFound: the chunk has no such revision.
        """
        revisions = {revision.number: revision for revision in of_chunk.revisions}
        revision = revisions.get(max(revisions) if number is None else number)
        if revision is None:
            numbers = ", ".join(map(str, revisions))
            raise NotFound(f"This chunk has no revision {number}; its revisions are {numbers}.")
        with translated(), self.engine.connect() as connection:
            batches = origins_of(connection, of_chunk.version.key, revision.chunk, revision.provenance.batches)
        return ChunkLineage(of_chunk.version, revision, batches)

    def _reported_versions(self) -> dict[str, ReportedVersion]:
        """Return the default version of each model, whose results the reports contain."""
        columns = (models.c.name, model_versions.c.version, model_versions.c.results_at)
        ready = (
            select(*columns)
            .select_from(model_versions.join(models, models.c.number == model_versions.c.model_number))
            .where(model_versions.c.state == registry.READY)
            .order_by(models.c.number, model_versions.c.version == models.c.champion, model_versions.c.version)
        )
        with translated(), self.engine.connect() as connection:
            return {name: ReportedVersion(version, at) for name, version, at in connection.execute(ready)}

    def _poll_and_report(self, scheduled: bool) -> PollOutcome:
        """Poll and write the reports; after a failure on the way the next poll writes all of them."""
        with self._reports.renew(self._reported_versions) as changed:
            summary = poll_once(self.engine, self._clock(), scheduled=scheduled)
            update_incidents(self.engine)
            plan_alerts(self.engine, self._planner(), self._clock())
            changed.update(poll.name for poll in summary.polls if poll.changed)
        return summary


def _no_chunk(name: str, start: datetime) -> str:
    return (
        f"No results are stored for the chunk that starts {start.isoformat()}; "
        f"`/api/v1/models/{name}/chunks` lists the chunks."
    )


def run_every(monitor: MonitorService, seconds: float) -> BackgroundScheduler:
    """Start the scheduled polls in the background: one at a time, missed ones merged into one."""

    def poll() -> None:
        run = monitor.runs.schedule()
        if run is not None and isinstance(run.problem, DriftlineError):
            log.warning("The scheduled poll failed: %s", run.problem)

    scheduler = BackgroundScheduler(timezone="UTC")
    scheduler.add_job(poll, "interval", seconds=seconds, max_instances=1, coalesce=True, misfire_grace_time=None)
    scheduler.start()
    return scheduler
