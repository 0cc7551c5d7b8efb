"""The route of results: as JSON, CSV or an Arrow stream, page by page."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import pandas as pd
import pyarrow as pa
from apiflask import APIBlueprint
from flask import Response, request

from driftline.errors import InvalidInput, NotFound
from driftline.http.access import needs
from driftline.http.api_description import Document, error_response
from driftline.http.scopes import Scope
from driftline.ingest.content import Format
from driftline.report.csv_cells import without_formulas
from driftline.report.schema import utc_text
from monitoring.api.result_schemas import ResultFormat, ResultQuery, ResultsOut
from monitoring.report.stored_results import RESULT_FIELDS, ResultRows
from monitoring.service import Monitor

PREFIX = "/api/v1/models"
_INSTANT = pa.timestamp("us", tz="UTC")
_TYPES: dict[str, pa.DataType] = {
    "start": _INSTANT,
    "end": _INSTANT,
    "revision": pa.int64(),
    "closed": pa.bool_(),
    "rows": pa.int64(),
} | dict.fromkeys(("subject_kind", "subject", "segment", "kind", "method", "state", "reason"), pa.string())
_SCHEMA = pa.schema([(name, _TYPES.get(name, pa.float64())) for name in RESULT_FIELDS])
"""Every field that is not named in `_TYPES` is a number."""


def make_results_api(monitor: Monitor) -> APIBlueprint:
    """Build the route for a monitor."""
    api = APIBlueprint("results", __name__, tag="Results")

    @needs(Scope.READ)
    def results(name: str, query_data: ResultQuery) -> Response:
        """List the results of a model version by chunk, oldest first; `format=csv` or `arrow` for tables."""
        version, page = monitor.results(name, query_data.version, query_data.span(), query_data.filter())
        response = _WRITERS[query_data.format](page, {"model": name, "version": version, "as_of": query_data.as_of})
        if page.next_start is not None:
            following = {**request.args, "from": utc_text(page.next_start)}
            url = f"{quote(request.path)}?{urlencode(following)}"
            response.headers["Link"] = f'<{url}>; rel="next"'
        return response

    with_query = api.input(ResultQuery, location="query")(results)
    api.get(f"{PREFIX}/<name>/results")(api.output(ResultsOut)(with_query))
    return api


def describe_results(document: Document) -> None:
    """State the formats, the link to the next page and the refusals, for the OpenAPI document."""
    path = document["paths"].get(f"{PREFIX}/{{name}}/results")
    if path is None:
        return
    responses = path["get"]["responses"]
    for type_ in (str(Format.CSV), str(Format.ARROW)):
        responses["200"]["content"][type_] = {"schema": {"type": "string", "format": "binary"}}
    responses["200"]["headers"] = {
        "Link": {"schema": {"type": "string"}, "description": 'the next page, with rel="next"; absent on the last one'}
    }
    for error in (InvalidInput, NotFound):
        responses[str(error.status.value)] = error_response(error)


def _json(page: ResultRows, head: dict[str, Any]) -> Response:
    """Write the JSON that the server wrote, each result after the fields that it shares with others."""
    heads: dict[int, str] = {}
    texts = []
    for result in page.stored:
        shared = heads.get(id(result.shared)) or heads.setdefault(id(result.shared), _fields(result.shared))
        texts.append(f"{{{shared}, {result.others[1:]}")
    return Response(
        f'{{{_fields({**head, "next": page.next_start})}, "results": [{",".join(texts)}]}}', mimetype="application/json"
    )


def _fields(values: dict[str, Any]) -> str:
    """Return the fields of a JSON object, without its braces."""
    return json.dumps(values, default=_text, allow_nan=False)[1:-1]


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return utc_text(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def _csv(page: ResultRows, _head: dict[str, Any]) -> Response:
    frame = pd.DataFrame(page.rows, columns=list(RESULT_FIELDS))
    frame = frame.assign(**{name: frame[name].map(utc_text).astype(object) for name in ("start", "end")})
    return Response(without_formulas(frame).to_csv(index=False), content_type="text/csv; charset=utf-8")


def _arrow(page: ResultRows, _head: dict[str, Any]) -> Response:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SCHEMA) as stream:
        stream.write_table(pa.Table.from_pylist(page.rows, schema=_SCHEMA))
    return Response(sink.getvalue().to_pybytes(), mimetype=str(Format.ARROW))


_WRITERS: dict[ResultFormat, Callable[[ResultRows, dict[str, Any]], Response]] = {
    ResultFormat.JSON: _json,
    ResultFormat.CSV: _csv,
    ResultFormat.ARROW: _arrow,
}
