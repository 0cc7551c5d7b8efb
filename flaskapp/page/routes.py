"""The routes of the simulator's page."""

from http import HTTPStatus

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from driftline.errors import DriftlineError
from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from driftline.http.pages import install_pages
from driftline.report.pages import TEMPLATES
from flaskapp.page.form import COLUMNS, DRIFTS, KINDS, STREAM_FIELDS, stream_request
from flaskapp.stream.service import Streaming
from flaskapp.stream.status import stream_state


def make_page(streaming: Streaming) -> APIBlueprint:
    """Build the page's routes."""
    pages = APIBlueprint("pages", __name__, enable_openapi=False, template_folder=str(TEMPLATES))

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

    pages.get("/")(home)
    pages.post("/start")(start)
    pages.post("/stop")(stop)
    install_pages(pages)
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
