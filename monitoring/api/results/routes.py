"""The route of results: as JSON, CSV or an Arrow stream, page by page."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pyarrow as pa
import pyarrow.json as arrow_json
from apiflask import APIBlueprint
from flask import Response, request

from driftline.errors import InvalidInput, NotFound
from driftline.http.access import needs
from driftline.http.api_description import Document, error_response
from driftline.http.authorization.scopes import Scope
from driftline.ingest.rows.content import Format
from driftline.report.csv_cells import without_formulas
from driftline.report.schema import utc_text
from monitoring.api.results.schemas import ResultFormat, ResultQuery, ResultsOut
from monitoring.report.stored_results import RESULT_FIELDS, ResultRows
from monitoring.service import MonitorService

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


def make_results_api(monitor: MonitorService) -> APIBlueprint:
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
    """Write the results that the server wrote, each after the fields that it shares with others."""
    fields = _fields({**head, "next": page.next_start})
    text = "".join((f'{{{fields}, "results": [', *_with_shared_fields(page), "]}"))
    return Response(text, mimetype=str(Format.JSON))


def _with_shared_fields(page: ResultRows) -> Iterator[str]:
    """Yield the JSON objects of each group, with commas between all."""
    fields: dict[int, str] = {}
    separator = ""
    for group in page.groups:
        shared = fields.get(id(group.shared)) or fields.setdefault(id(group.shared), _fields(group.shared))
        opening = f"{{{shared}, "
        yield f"{separator}{opening}"
        separator = ",\n"
        yield f"{separator}{opening}".join(group.lines)


def _fields(values: dict[str, Any]) -> str:
    """Return the fields of a JSON object, without its braces."""
    return json.dumps(values, default=_text, allow_nan=False)[1:-1]


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return utc_text(value)
    raise TypeError(f"{type(value).__name__} has no JSON")


def _csv(page: ResultRows, _head: dict[str, Any]) -> Response:
    frame = _table(page).drop_columns(["start", "end"]).to_pandas()
    for place, name in enumerate(("start", "end")):
        frame.insert(place, name, _repeated(page, [utc_text(group.shared[name]) for group in page.groups]))
    return Response(without_formulas(frame).to_csv(index=False), content_type="text/csv; charset=utf-8")


def _arrow(page: ResultRows, _head: dict[str, Any]) -> Response:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SCHEMA) as stream:
        stream.write_table(_table(page))
    return Response(sink.getvalue().to_pybytes(), mimetype=str(Format.ARROW))


def _table(page: ResultRows) -> pa.Table:
    """Return the results as a table with the schema `_SCHEMA`."""
    if not page.groups:
        return _SCHEMA.empty_table()
    lines = pa.py_buffer("".join(f"{{{line}\n" for group in page.groups for line in group.lines).encode())
    of_lines = pa.schema([field for field in _SCHEMA if field.name not in page.groups[0].shared])
    options = arrow_json.ParseOptions(explicit_schema=of_lines, unexpected_field_behavior="error")
    table = arrow_json.read_json(pa.BufferReader(lines), parse_options=options)
    for name in page.groups[0].shared:
        values = pa.array([group.shared[name] for group in page.groups], _SCHEMA.field(name).type)
        table = table.append_column(name, values.take(pa.array(_repeated(page, range(len(page.groups))))))
    return table.select(_SCHEMA.names)


def _repeated(page: ResultRows, of_groups: Sequence[Any]) -> np.ndarray:
    """Return a value of each group once for each of its results."""
    return np.repeat(np.asarray(of_groups), [len(group.lines) for group in page.groups])


_WRITERS: dict[ResultFormat, Callable[[ResultRows, dict[str, Any]], Response]] = {
    ResultFormat.JSON: _json,
    ResultFormat.CSV: _csv,
    ResultFormat.ARROW: _arrow,
}
