"""`POST /predict` of one row, answered without Flask's dispatch, which takes longer than the prediction itself.

The checks, the answer and the log are those of the Flask app: the same functions, called one after another.
"""

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from a2wsgi.wsgi_typing import Environ
from apiflask import APIFlask
from flask import Request

from driftline.http.access import AccessRules, require_scope
from driftline.http.authorization.scopes import Scope
from driftline.http.metrics import ServiceMetrics
from driftline.http.request_spans import describe, request_span
from driftline.http.web import SECURITY_HEADERS, answer_of_error, log_request, request_line
from serving.predictor import Predictor
from serving.web.api import answer_to
from serving.web.asgi import WholeResponse
from serving.web.requests import PREDICT_PATH, read_brief_body

DEFAULT_HEADERS = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]


@dataclass(frozen=True)
class BriefRequests:
    """Answers requests that predict one row with a model that is loaded, and so wait for nothing."""

    app: APIFlask
    rules: AccessRules
    metrics: ServiceMetrics
    predictor: Predictor

    def answer(self, environ: Environ, body: bytes) -> WholeResponse | None:
        """Return the answer to a brief request; None for any other."""
        fields = read_brief_body(environ["REQUEST_METHOD"], environ["PATH_INFO"], body)
        if fields is None or not self.predictor.models.is_loaded(fields.get("model")):
            return None
        request = self.app.request_class(environ)
        with request_span(request, PREDICT_PATH) as span:
            answer = self._answer(request, fields)
            describe(span, answer.status)
        return answer

    def _answer(self, request: Request, fields: Any) -> WholeResponse:
        """Answer, count and log a request; the caller is logged of a refused one too."""
        started, caller = time.perf_counter(), None
        try:
            self.rules.require_size(request)
            token = self.rules.find_token(request)
            caller = token.name if token else None
            self.rules.require_client(request, token)
            require_scope(request, token, Scope.PREDICT)
            answer = self._response(HTTPStatus.OK, answer_to(fields, self.predictor))
        except Exception as error:  # noqa: BLE001  (it is answered and, unless expected, logged)
            failure = answer_of_error(error, request_line(request, caller))
            answer = self._response(failure.status, failure.fields, failure.headers)
        seconds = time.perf_counter() - started
        self.metrics.count(request.method, PREDICT_PATH, answer.status, seconds)
        log_request(request_line(request, caller), answer.status, seconds)
        return answer

    def _response(self, status: int, fields: Any, headers: tuple[tuple[str, str], ...] = ()) -> WholeResponse:
        """Return a response as `jsonify` makes it, with the default headers."""
        body = self.app.json.dumps(fields, separators=(",", ":")).encode() + b"\n"
        head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        further = [(name.lower().encode(), value.encode()) for name, value in headers]
        return WholeResponse(int(status), head + further + DEFAULT_HEADERS, body)
