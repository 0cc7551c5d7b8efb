"""What all web services share: one JSON error shape, health and readiness routes, a request log, safe headers."""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from apiflask import APIFlask, HTTPError
from flask import Request, Response, g, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge

from driftline.errors import DriftlineError, InvalidInput
from driftline.http import api_description, request_spans
from driftline.http.access import PROBES, Refusal, RequestTooLarge
from driftline.http.api_description import ERROR_SCHEMA
from driftline.validation_faults import validation_faults

log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""Default headers of every response: it loads nothing, cannot be embedded, and its type is not guessed."""
RETRY_SECONDS = "5"
"""How long a client is to wait where another server does not answer."""


class LenientJsonRequest(Request):
    """A request whose empty body reads as `{}`, so that a plain `curl -X POST` uses every default."""

    def on_json_loading_failed(self, e: ValueError | None) -> Any:
        """Return `{}` for an empty body; reject any other body that is not JSON."""
        if not self.get_data():
            return {}
        if e is None:  # the content type is not JSON
            return super().on_json_loading_failed(e)
        raise BadRequest(f"The body is not valid JSON: {e}; correct it.") from None

    def get_json(self, *args: Any, **options: Any) -> Any:
        """Parse the body; reject one that is nested deeper than the parser can follow."""
        try:
            return super().get_json(*args, **options)
        except RecursionError:
            raise BadRequest("The JSON body is nested too deeply; flatten it.") from None


def make_app(name: str, title: str) -> APIFlask:
    """Create an app with `/openapi.json` and no documentation pages, which would load scripts from other sites."""
    app = APIFlask(name, title=title, version="1", docs_path=None, json_errors=False)
    app.request_class = LenientJsonRequest
    app.config.update(
        VALIDATION_ERROR_STATUS_CODE=HTTPStatus.BAD_REQUEST.value,
        VALIDATION_ERROR_SCHEMA=ERROR_SCHEMA,
        HTTP_ERROR_SCHEMA=ERROR_SCHEMA,
    )
    app.before_request(_start_timer)
    request_spans.watch(app)
    api_description.describe(app)
    return app


def install(app: APIFlask, ready: Callable[[], None], polled: Collection[str] = ()) -> None:
    """Add the error shape, `/healthz`, `/readyz` and the request log to an app made by `make_app`.

    `ready` raises a `DriftlineError` while the service cannot do its work. Requests to `polled` paths,
    which clients repeat at short intervals, are logged only if they fail, and have no trace.
    """
    app.extensions[request_spans.UNTRACED] = PROBES | {*polled}
    app.register_error_handler(DriftlineError, _error_response)
    app.register_error_handler(HTTPError, _schema_error)
    app.register_error_handler(RequestEntityTooLarge, lambda _: _error_response(RequestTooLarge()))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _error_response)
    app.after_request(_add_security_headers)
    app.after_request(lambda response: _log_request(response, polled))

    def healthz() -> dict[str, str]:
        """Answer as long as the process runs."""
        return {"status": "ok"}

    def readyz() -> dict[str, str]:
        """Answer 200 if the service can do its work."""
        ready()
        return {"status": "ready"}

    app.get("/healthz")(healthz)
    app.get("/readyz")(readyz)


@dataclass(frozen=True)
class ErrorAnswer:
    """The answer to a request that failed, in the shape of all errors; a header may occur several times."""

    status: int
    fields: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...] = ()


def answer_of_error(error: Exception, line: str) -> ErrorAnswer:
    """Return the answer to an error of a request, which the log names by a line; an unexpected error is logged."""
    if not isinstance(error, DriftlineError):
        log.error("%s failed", line, exc_info=error)
        return answer_of_error(DriftlineError(), line)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("%s: %s (%s)", line, error, error.__cause__ or "no cause recorded")
    rows = {"rows": [*map(asdict, error.rows)], "more_rows": error.more_rows} if error.rows else {}
    headers = error.headers if isinstance(error, Refusal) else ()
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers += (("Retry-After", RETRY_SECONDS),)
    return ErrorAnswer(error.status, _error_fields(error.code, error.message, error.details, **rows), headers)


def _error_fields(code: str, message: str, details: tuple[str, ...] = (), **more: object) -> Mapping[str, Any]:
    return {"error": {"code": code, "message": message, "details": list(details), **more}}


def _error_response(error: Exception) -> Response:
    answer = answer_of_error(error, request_line(request, g.get("caller")))
    response = jsonify(answer.fields)
    response.status_code = answer.status
    response.headers.extend(answer.headers)
    return response


def _response(status: int, message: str) -> Response:
    response = jsonify(_error_fields(HTTPStatus(status).name.lower(), message))
    response.status_code = status
    return response


def _schema_error(error: HTTPError) -> Response:
    """Answer a request that does not match its schema; list every fault."""
    if not error.detail:
        return _response(error.status_code, error.message)
    faults = validation_faults(error.__cause__) if isinstance(error.__cause__, ValidationError) else ()
    return _error_response(InvalidInput(details=tuple(faults)))


def _http_error(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    response = _response(status, error.description or error.name)
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers[name] = value
    return response


def _start_timer() -> None:
    g.started = time.perf_counter()


def _add_security_headers(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def _log_request(response: Response, polled: Collection[str]) -> Response:
    unlogged = request.path in PROBES or (request.path in polled and response.status_code < HTTPStatus.BAD_REQUEST)
    level = logging.DEBUG if unlogged else logging.INFO
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    log_request(request_line(request, g.get("caller")), response.status_code, seconds, level)
    return response


def log_request(line: str, status: int, seconds: float, level: int = logging.INFO) -> None:
    """Log a request that was answered."""
    log.log(level, "%s %d in %.0f ms", line, status, 1000 * seconds)


def request_line(request: Request, caller: str | None) -> str:
    """Return the method, path and caller in one printable line, whatever the path or method contains."""
    client = f"by {caller}" if caller else f"from {request.remote_addr}"
    return f"{quote(request.method)} {quote(request.path)} {client}"
