"""What the pages of the monitor and the simulator share: the style sheet of reports, and headers of every page."""

from apiflask import APIBlueprint
from flask import Response

from driftline.http.access import needs
from driftline.http.authorization.scopes import Scope
from driftline.report.pages import stylesheet

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""A page loads only what its own service serves, and has no inline script or style."""


def install_pages(pages: APIBlueprint) -> None:
    """Serve the style sheet as the endpoint `report_static`, and give every page its headers: no cache keeps it."""
    style = stylesheet()

    @needs(Scope.READ)
    def report_style() -> Response:
        """Return the style sheet that all of Driftline's pages share."""
        return Response(style, mimetype="text/css")

    pages.get("/static/report.css", endpoint="report_static")(report_style)
    pages.after_request(_protect)


def _protect(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
