"""A span for each request, which continues the trace of the client; requests of probes have none."""

from contextlib import AbstractContextManager, ExitStack

from apiflask import APIFlask
from flask import Request, Response, current_app, g, request

from driftline import spans
from driftline.http.access import PROBES
from driftline.spans import TRACEPARENT, Span, SpanKind

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNTRACED = "untraced"
"""The name under which an app keeps the paths that clients repeat at short intervals."""
FAILURE = 500


def watch(app: APIFlask) -> None:
    """Record the requests of an app, where spans are recorded; call it before other handlers are added."""
    if spans.is_recording():
        app.before_request(_open)
        app.after_request(_describe)
        app.teardown_request(_close)


def request_span(request: Request, route: str) -> AbstractContextManager[Span]:
    """Open the span of a request. Its attributes have the route, never the path, the query or a header."""
    method = request.method if request.method in METHODS else "_OTHER"
    attributes = {"http.request.method": method, "http.route": route}
    if isinstance(model := (request.view_args or {}).get("name"), str) and "/models/" in route:
        attributes["driftline.model"] = model
    parent = request.headers.get(TRACEPARENT)
    return spans.span(f"{method} {route}", SpanKind.SERVER, parent=parent, attributes=attributes)


def describe(span: Span, status: int) -> None:
    """Add how a request was answered."""
    span.set({"http.response.status_code": status})
    if status >= FAILURE:
        span.fail(str(status))


def _open() -> None:
    if request.path in current_app.extensions.get(UNTRACED, PROBES):
        return
    stack = ExitStack()
    g.span = stack.enter_context(request_span(request, request.url_rule.rule if request.url_rule else "none"))
    g.span_end = stack


def _describe(response: Response) -> Response:
    if "span" in g:
        describe(g.span, response.status_code)
    return response


def _close(_: BaseException | None) -> None:
    if "span_end" in g:
        g.pop("span_end").close()
