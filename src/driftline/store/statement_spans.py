"""A span for each statement of an engine, below the span that is open."""

import re
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext

from driftline import spans
from driftline.spans import Span, SpanKind

OPEN = "driftline.spans"
"""The name under which a connection keeps the spans of its running statements."""
LONGEST_STATEMENT = 2_000
"""How many characters of a statement a span has."""
_TEXT = re.compile(r"'(?:[^'\\]|\\.|'')*(?:'|$)")


def watch(engine: Engine) -> None:
    """Record the statements of an engine, where spans are recorded."""
    if spans.is_recording():
        event.listen(engine, "before_cursor_execute", _begin)
        event.listen(engine, "after_cursor_execute", _end)
        event.listen(engine, "handle_error", _fail)


def _begin(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    """Begin the span of a statement, which has its text without values; without an open span there is none."""
    if spans.traceparent() is None:
        return
    url, operation = connection.engine.url, statement.split(None, 1)[0].upper()
    attributes = {
        "db.system.name": "mariadb" if getattr(connection.dialect, "is_mariadb", False) else "mysql",
        "db.namespace": url.database or "",
        "db.operation.name": operation,
        "db.query.text": without_values(statement),
        "server.address": url.host or "",
        "server.port": url.port or 0,
    }
    span = spans.begin(f"{operation} {url.database}", SpanKind.CLIENT, attributes)
    connection.info.setdefault(OPEN, []).append(span)


def without_values(statement: str) -> str:
    """Return a statement without its quoted texts, cut to `LONGEST_STATEMENT`; parameters are not in it."""
    return _TEXT.sub("?", statement[: 2 * LONGEST_STATEMENT])[:LONGEST_STATEMENT]


def _take(connection: Connection | None) -> Span | None:
    """Return the span of the statement that ends."""
    running = connection.info.get(OPEN) if connection is not None and not connection.closed else None
    span: Span | None = running.pop() if running else None
    return span


def _end(connection: Connection, *_: Any) -> None:
    if span := _take(connection):
        span.end()


def _fail(context: ExceptionContext) -> None:
    """End the span of a statement that failed, with the server's code."""
    if span := _take(context.connection):
        error = context.original_exception
        code = error.args[0] if error.args else None
        span.fail(str(code) if isinstance(code, int) else type(error).__name__)
        span.end()
