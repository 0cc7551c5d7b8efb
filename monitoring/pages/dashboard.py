"""The pages for people: all models, and one model by chunk."""

from apiflask import APIBlueprint
from flask import Response, render_template
from flask.typing import ResponseReturnValue

from driftline.errors import NotFound, Unavailable
from driftline.http.access import needs
from driftline.http.scopes import Scope
from driftline.report.pages import TEMPLATES, stylesheet
from driftline.report.wording import LINE_WORDS, STATE_WORDS
from monitoring.api.schemas import ChunkQuery
from monitoring.incidents.derivation import IncidentState
from monitoring.incidents.stored_incidents import IncidentFilter, StoredIncident
from monitoring.pages.model_page import Page, page_of
from monitoring.report.advice import REGISTER_MODEL
from monitoring.report.chunk_views import ChunkRange
from monitoring.service import Monitor

CARD = ChunkRange(most=30)
"""The chunks of each model on the home page."""
SHOWN_INCIDENTS = 10
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def make_pages(monitor: Monitor, poll_seconds: float) -> APIBlueprint:
    """Return the routes of the pages; no page loads anything from another server."""
    pages = APIBlueprint("pages", __name__, enable_openapi=False, template_folder=str(TEMPLATES))
    style = stylesheet()

    @needs(Scope.READ)
    def home() -> ResponseReturnValue:
        """Show all models."""
        model_pages = [_page(monitor, name, CARD, versions) for name, versions in monitor.models().items()]
        advice = [] if model_pages else [REGISTER_MODEL]
        return render_template("home.html", pages=model_pages, advice=advice, incidents=_open_incidents(monitor))

    @needs(Scope.READ)
    def model(name: str, query_data: ChunkQuery) -> ResponseReturnValue:
        """Show one model by chunk."""
        versions = monitor.models()
        if name not in versions:
            raise NotFound(f"No model named {name!r} has a ready version. Ready: {', '.join(versions) or 'none'}.")
        requested = ChunkRange(query_data.first, query_data.last)
        page = _page(monitor, name, requested, versions[name], query_data.version)
        incidents = _open_incidents(monitor, name, page.version.number)
        return render_template("model.html", page=page, incidents=incidents)

    @needs(Scope.READ)
    def report_style() -> Response:
        """Return the style sheet that all of Driftline's pages share."""
        return Response(style, mimetype="text/css")

    def unavailable(error: Unavailable) -> ResponseReturnValue:
        return render_template("problem.html", heading="The monitor cannot answer now", error=error), error.status

    def not_found(error: NotFound) -> ResponseReturnValue:
        return render_template("problem.html", heading="Page not found", error=error), error.status

    pages.get("/")(home)
    pages.get("/static/report.css", endpoint="report_static")(report_style)
    pages.get("/models/<name>")(pages.input(ChunkQuery, location="query")(model))
    pages.register_error_handler(Unavailable, unavailable)
    pages.register_error_handler(NotFound, not_found)
    words = {"line_words": LINE_WORDS, "state_words": STATE_WORDS}
    pages.context_processor(lambda: words | {"last": monitor.last, "every": poll_seconds})
    pages.after_request(_protect)
    return pages


def _open_incidents(monitor: Monitor, name: str | None = None, version: int | None = None) -> list[StoredIncident]:
    return monitor.incidents(IncidentFilter(name, version, IncidentState.OPEN, most=SHOWN_INCIDENTS))


def _page(monitor: Monitor, name: str, requested: ChunkRange, versions: list[int], version: int | None = None) -> Page:
    status = monitor.status(name, version, requested)
    return page_of(status.version, tuple(versions), status.clock, status.chunks)


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
