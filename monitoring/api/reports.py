"""The report of a model, to read, print or send: one route, a format for each ending."""

from urllib.parse import quote

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from driftline.errors import InvalidInput, MissingLibrary, NotFound
from driftline.http.access import needs
from driftline.http.api_description import Document, error_response
from driftline.http.authorization.scopes import Scope
from driftline.report.document.formats import FORMATS
from monitoring.api.schemas import DayOrInstant
from monitoring.report.chunk_views import ChunkRange
from monitoring.report.model_report import REPORT_CHUNKS
from monitoring.service import MonitorService

PATH = "/models/<name>/report.<ending>"
MOST_CHUNKS = 1_000
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""A report has its own style sheet within, and loads and runs nothing."""


class ReportQuery(BaseModel):
    """The chunks that start from `from` to `to`, both included; by default the newest 30."""

    model_config = ConfigDict(extra="forbid")

    first: DayOrInstant | None = Field(None, alias="from")
    last: DayOrInstant | None = Field(None, alias="to")
    version: int | None = Field(None, ge=1, description="default: the champion, or else the newest")
    most: int = Field(REPORT_CHUNKS, ge=1, le=MOST_CHUNKS, description="the newest so many chunks, without `from`")

    def range(self) -> ChunkRange:
        """Return the requested chunks."""
        return ChunkRange(self.first, self.last, self.most)


def make_reports_api(monitor: MonitorService) -> APIBlueprint:
    """Build the route for a monitor."""
    api = APIBlueprint("reports", __name__, tag="Reports")

    @needs(Scope.READ)
    def report(name: str, ending: str, query_data: ReportQuery) -> Response:
        """Report on a range of a model's chunks: html, pdf, xlsx, csv or json."""
        format_ = FORMATS.get(ending)
        if format_ is None:
            raise NotFound(f"There is no report in the format {ending!r}. Formats: {', '.join(FORMATS)}.")
        content = monitor.report(name, query_data.version, query_data.range())
        response = Response(format_.write(content), content_type=format_.media_type)
        file = quote(f"{content.model}-report.{ending}")
        disposition = "inline" if ending in ("html", "pdf", "json") else "attachment"
        response.headers["Content-Disposition"] = f"{disposition}; filename*=UTF-8''{file}"
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    api.get(PATH)(api.input(ReportQuery, location="query")(report))
    return api


def describe_reports(document: Document) -> None:
    """State the formats and the refusals, for the OpenAPI document."""
    operation = document["paths"].get("/models/{name}/report.{ending}", {}).get("get")
    if operation is None:
        return
    binary = {"schema": {"type": "string", "format": "binary"}}
    operation["responses"]["200"] = {
        "description": "The report.",
        "content": {row.media_type.partition(";")[0]: binary for row in FORMATS.values()},
    }
    for parameter in operation["parameters"]:
        if parameter["name"] == "ending":
            parameter["schema"] = {"type": "string", "enum": list(FORMATS)}
            parameter["description"] = "; ".join(f"{row.ending}: {row.words}" for row in FORMATS.values())
    for error in (InvalidInput, NotFound, MissingLibrary):
        operation["responses"][str(error.status.value)] = error_response(error)
