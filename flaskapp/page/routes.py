"""The routes of the simulator's page."""

from http import HTTPStatus

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from driftline.errors import DriftlineError
from driftline.http.access import needs
from driftline.http.scopes import Scope
from driftline.report.pages import TEMPLATES, stylesheet
from flaskapp.page.form import COLUMNS, DRIFTS, KINDS, STREAM_FIELDS, stream_request
from flaskapp.stream.service import Streaming
from flaskapp.stream.status import stream_state

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


def make_page(streaming: Streaming) -> APIBlueprint:
    """Build the page's routes."""
    pages = APIBlueprint("pages", __name__, enable_openapi=False, template_folder=str(TEMPLATES))
    style = stylesheet()

    @needs(Scope.READ)
    def home() -> ResponseReturnValue:
        """Show the most recent stream, and a form to start another."""
        return _page(streaming)

    @needs(Scope.OPERATE)
    def start() -> ResponseReturnValue:
        """Start the stream of the form, and show it; with the faults of the form where it has some."""
        try:
            streaming.start(stream_request(request.form))
        except DriftlineError as error:
            return _page(streaming, error), error.status
        return redirect(url_for("pages.home"), HTTPStatus.SEE_OTHER)

    @needs(Scope.OPERATE)
    def stop() -> ResponseReturnValue:
        """Stop the running stream, and show it."""
        streaming.stop()
        return redirect(url_for("pages.home"), HTTPStatus.SEE_OTHER)

    @needs(Scope.READ)
    def report_style() -> Response:
        """Return the style sheet that all of Driftline's pages share."""
        return Response(style, mimetype="text/css")

    pages.get("/")(home)
    pages.post("/start")(start)
    pages.post("/stop")(stop)
    pages.get("/static/report.css", endpoint="report_static")(report_style)
    pages.after_request(_protect)
    return pages


def _page(streaming: Streaming, error: DriftlineError | None = None) -> str:
    return render_template(
        "stream.html",
        stream=stream_state(streaming.status()),
        error=error,
        form=request.form,
        fields=STREAM_FIELDS,
        drifts=range(1, DRIFTS + 1),
        kinds=KINDS,
        columns=COLUMNS,
    )


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
