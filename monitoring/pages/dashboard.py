"""The pages for people: all models, and one model by chunk."""

from apiflask import APIBlueprint
from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from driftline.clock import Clock
from driftline.errors import Conflict, DriftlineError, InvalidInput, NotFound, Unavailable
from driftline.http.access import RequestTooLarge, needs
from driftline.http.authorization.scopes import Scope
from driftline.http.pages import install_pages
from driftline.http.server.server import stopping
from driftline.ingest.errors import TooMuchContent, UnsupportedContent
from driftline.models.registered_models import RegisteredModels
from driftline.report.pages import TEMPLATES
from driftline.report.wording import LINE_WORDS, STATE_WORDS, dated_label
from driftline.store.sources.ingest_log import IngestState
from monitoring.alerts.delivery_store import DeliveryState
from monitoring.alerts.service import AlertService
from monitoring.api.pressure import Pressure
from monitoring.incidents.action_log import ActionKind
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.stored_incidents import IncidentFilter
from monitoring.pages import page_text
from monitoring.pages.alert_pages import add_alert_pages
from monitoring.pages.changes import Changes
from monitoring.pages.incident_pages import add_incident_pages
from monitoring.pages.models.column_page import column_page
from monitoring.pages.models.model_page import page_of
from monitoring.pages.models.model_tabs import add_model_tabs
from monitoring.pages.overview_page import overview_page
from monitoring.pages.queries import ColumnQuery, ModelQuery, OverviewQuery
from monitoring.pages.registration.drafts import Drafts
from monitoring.pages.registration.registration_pages import add_registration_pages
from monitoring.pages.specs.spec_edit_pages import add_spec_edit_pages
from monitoring.report.chunk_views import ChunkRange
from monitoring.service import MonitorService

SHOWN_INCIDENTS = 10
CHANGES = "/changes"
"""The path that open pages listen to."""
KINDS_AND_STATES = {
    "incident_states": IncidentState,
    "action_kinds": ActionKind,
    "delivery_states": DeliveryState,
    "ingest_states": IngestState,
}
"""Enums by the names that templates have for them."""


def make_pages(
    monitor: MonitorService,
    poll_seconds: float,
    clock: Clock,
    alert_service: AlertService,
    registered: RegisteredModels,
    pressure: Pressure,
) -> APIBlueprint:
    """Return the routes of the pages; no page loads anything from another server."""
    pages = APIBlueprint("pages", __name__, enable_openapi=False, template_folder=str(TEMPLATES))
    _add_views(pages, monitor)
    add_model_tabs(pages, monitor, registered)
    add_incident_pages(pages, monitor.engine, clock)
    add_alert_pages(pages, alert_service)
    add_spec_edit_pages(pages, monitor, registered, pressure)
    add_registration_pages(pages, monitor, registered, Drafts(clock), pressure)
    _add_error_pages(pages)
    functions = {"time": page_text.time, "dated": dated_label}
    words = {"line_words": LINE_WORDS, "state_words": STATE_WORDS, **KINDS_AND_STATES} | functions
    pages.context_processor(lambda: words | {"last": monitor.last, "every": poll_seconds, "now": clock()})
    for name, function in page_text.FILTERS.items():
        pages.add_app_template_filter(function, name)
    install_pages(pages)
    return pages


def _add_views(pages: APIBlueprint, monitor: MonitorService) -> None:
    """Add the overview, the page of a model and that of a column's drift, and the changes that open pages listen to."""
    open_changes = Changes(monitor.newest_change)

    @needs(Scope.READ)
    def home(query_data: OverviewQuery) -> ResponseReturnValue:
        """Show all models, those that need attention first."""
        overview = monitor.overview(query_data.filter(), query_data.page)
        return render_template("home.html", page=overview_page(overview), filter=query_data.filter())

    @needs(Scope.READ)
    def model(name: str, query_data: ModelQuery) -> ResponseReturnValue:
        """Show one model by chunk."""
        versions = monitor.versions(name)
        segments = None if query_data.segment is None else (None, query_data.segment)
        requested = ChunkRange(query_data.first, query_data.last, segments=segments or (None,))
        status = monitor.status(name, query_data.version, requested)
        page = page_of(status, versions, query_data.segment, monitor.events(name))
        open_incidents = IncidentFilter(name, page.version.number, IncidentState.OPEN, most=SHOWN_INCIDENTS)
        incidents = monitor.incidents(open_incidents)
        return render_template("model.html", page=page, incidents=incidents, query=query_data)

    @needs(Scope.READ)
    def column(name: str, query_data: ColumnQuery) -> ResponseReturnValue:
        """Show where the drift of a column in one chunk comes from."""
        status = monitor.column(name, query_data.version, query_data.column, query_data.chunk)
        page = column_page(status, query_data.column, monitor.versions(name))
        return render_template("column.html", page=page)

    @needs(Scope.READ)
    def changes() -> ResponseReturnValue:
        """Send a number, and again as soon as any verdict changes, as server-sent events; open pages listen to it."""
        events = open_changes.stream(stopping(request.environ).wait)
        return Response(events, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})

    pages.get("/")(pages.input(OverviewQuery, location="query")(home))
    pages.get("/models/<name>")(pages.input(ModelQuery, location="query")(model))
    pages.get("/models/<name>/drift")(pages.input(ColumnQuery, location="query")(column))
    pages.get(CHANGES)(changes)


def _add_error_pages(pages: APIBlueprint) -> None:
    """Answer expected errors with a page that says what to do."""

    def unavailable(error: Unavailable) -> ResponseReturnValue:
        return render_template("problem.html", heading="The monitor cannot answer now", error=error), error.status

    def not_found(error: NotFound) -> ResponseReturnValue:
        return render_template("problem.html", heading="Page not found", error=error), error.status

    def refused(error: DriftlineError) -> ResponseReturnValue:
        return render_template("problem.html", heading="This was refused", error=error), error.status

    pages.register_error_handler(Unavailable, unavailable)
    pages.register_error_handler(NotFound, not_found)
    for kind in (InvalidInput, Conflict, TooMuchContent, UnsupportedContent, RequestTooLarge):
        pages.register_error_handler(kind, refused)
