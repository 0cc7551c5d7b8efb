"""The further pages of a model: the history of a chunk, data quality, spec, versions, two of them, the ingest log."""

from apiflask import APIBlueprint
from flask import render_template
from flask.typing import ResponseReturnValue

from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from driftline.models.registered_models import RegisteredModels
from monitoring.api.schemas import parse_instant
from monitoring.pages.models.compare_page import compare_page
from monitoring.pages.models.history_page import history_page
from monitoring.pages.models.quality_page import quality_page
from monitoring.pages.models.versions_page import versions_page
from monitoring.pages.queries import (
    CompareQuery,
    HistoryQuery,
    IngestPageQuery,
    ModelQuery,
    VersionPageQuery,
    VersionsPageQuery,
)
from monitoring.pages.specs.spec_page import spec_page
from monitoring.report.chunk_views import ChunkRange
from monitoring.service import MonitorService

INGEST_PAGE_SIZE = 50
RETRAININGS_PAGE_SIZE = 50


def add_model_tabs(pages: APIBlueprint, monitor: MonitorService, registered: RegisteredModels) -> None:
    """Add the routes to the blueprint of the pages."""
    _add_chunk_tabs(pages, monitor)
    _add_version_tabs(pages, monitor, registered)


def _add_chunk_tabs(pages: APIBlueprint, monitor: MonitorService) -> None:
    """Add the tabs of the data that arrived, and of what was computed from it."""

    @needs(Scope.READ)
    def history(name: str, start: str, query_data: HistoryQuery) -> ResponseReturnValue:
        """Show the revision history of a chunk."""
        of_chunk = monitor.revisions(name, query_data.version, parse_instant(start))
        lineage = monitor.lineage(of_chunk, query_data.revision)
        page = history_page(monitor.history(of_chunk), lineage)
        return render_template("history.html", page=page, versions=monitor.versions(name))

    @needs(Scope.READ)
    def quality(name: str, query_data: ModelQuery) -> ResponseReturnValue:
        """Show the data quality of a model by chunk."""
        versions = monitor.versions(name)
        requested = ChunkRange(query_data.first, query_data.last, segments=(None,))
        status = monitor.status(name, query_data.version, requested)
        return render_template("quality.html", page=quality_page(status), versions=versions)

    @needs(Scope.READ)
    def ingest(name: str, query_data: IngestPageQuery) -> ResponseReturnValue:
        """Show the ingested and the refused batches of a model with the reasons."""
        versions = monitor.versions(name)
        version, entries = monitor.ingest_log(name, INGEST_PAGE_SIZE + 1, query_data.filter())
        more = len(entries) > INGEST_PAGE_SIZE
        page_entries = entries[:INGEST_PAGE_SIZE]
        return render_template(
            "ingest.html",
            name=name,
            version=version,
            versions=versions,
            entries=page_entries,
            query=query_data,
            more=more,
        )

    pages.get("/models/<name>/chunks/<start>")(pages.input(HistoryQuery, location="query")(history))
    pages.get("/models/<name>/quality")(pages.input(ModelQuery, location="query")(quality))
    pages.get("/models/<name>/ingest")(pages.input(IngestPageQuery, location="query")(ingest))


def _add_version_tabs(pages: APIBlueprint, monitor: MonitorService, registered: RegisteredModels) -> None:
    """Add the tabs of specs and versions."""

    @needs(Scope.READ)
    def spec(name: str, query_data: VersionPageQuery) -> ResponseReturnValue:
        """Show the spec of a version, and what its revisions changed."""
        versions = monitor.versions(name)
        version, revisions = monitor.spec_revisions(name, query_data.version)
        return render_template("spec.html", page=spec_page(version, revisions), versions=versions)

    @needs(Scope.READ)
    def versions(name: str, query_data: VersionsPageQuery) -> ResponseReturnValue:
        """Show the versions of a model, its retrainings and the changes of roles."""
        ready = monitor.versions(name)
        version, _ = monitor.spec_revisions(name, query_data.version)
        retrainings = registered.newest_retrainings(name, RETRAININGS_PAGE_SIZE + 1, query_data.before)
        more, shown = len(retrainings) > RETRAININGS_PAGE_SIZE, retrainings[:RETRAININGS_PAGE_SIZE]
        page = versions_page(version, registered.versions(name), shown, registered.role_changes(name))
        return render_template("versions.html", page=page, versions=ready, query=query_data, more=more)

    @needs(Scope.READ)
    def compare(name: str, query_data: CompareQuery) -> ResponseReturnValue:
        """Show two versions of a model side by side."""
        versions = monitor.versions(name)
        compared = query_data.versions([*versions])
        if compared is None:
            version, _ = monitor.spec_revisions(name, query_data.second)
            return render_template("compare_nothing.html", version=version, versions=versions)
        span = ChunkRange(query_data.since, query_data.until, segments=(None,))
        first, second = (monitor.status(name, number, span) for number in compared)
        return render_template("compare.html", page=compare_page(first, second), versions=versions, query=query_data)

    pages.get("/models/<name>/spec")(pages.input(VersionPageQuery, location="query")(spec))
    pages.get("/models/<name>/versions")(pages.input(VersionsPageQuery, location="query")(versions))
    pages.get("/models/<name>/compare")(pages.input(CompareQuery, location="query")(compare))
