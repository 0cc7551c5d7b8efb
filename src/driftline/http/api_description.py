"""The parts of `/openapi.json` that all routes share: authentication, required scopes, and error responses."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from apiflask import APIFlask
from flask import current_app

from driftline.errors import DriftlineError, Unavailable
from driftline.http.access import PROBES, REFUSALS, scope_of
from driftline.http.authorization.scopes import Scope

Document = dict[str, Any]
ERROR_SCHEMA: Document = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "array", "items": {"type": "string"}},
                "rows": {
                    "type": "array",
                    "description": "the first rows that are invalid or stored with other content, each by itself",
                    "items": {
                        "type": "object",
                        "required": ["row", "column", "value", "cure"],
                        "properties": {
                            "row": {"type": "integer", "minimum": 1},
                            "column": {"type": "string", "description": "empty: the row as a whole"},
                            "value": {"type": "string", "nullable": True},
                            "cure": {"type": "string"},
                        },
                    },
                },
                "more_rows": {"type": "boolean", "description": "whether further rows are invalid"},
            },
        }
    },
}
ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPError"}}}
SECURITY_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "a token created by `driftline token create`"},
    "basic": {"type": "http", "scheme": "basic", "description": "for browsers: any user name, the token as password"},
}
ERROR_HEADERS: dict[int, Document] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer, and Basic for browsers"}},
    429: {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "seconds"}},
    503: {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "seconds"}},
}
LIVENESS_PATH = "/healthz"
"""The only path that depends on no other server."""


def describe(app: APIFlask) -> None:
    """Make the document state who may use each route; `add_describer` registers further changes to it."""
    app.security_schemes = SECURITY_SCHEMES
    app.extensions["describers"] = [_describe_access]
    app.spec_processor(_apply_describers)


def add_describer(app: APIFlask, describer: Callable[[Document], None]) -> None:
    """Register a function that changes the document in place before it is served."""
    app.extensions["describers"].append(describer)


def _apply_describers(document: Document) -> Document:
    for describer in current_app.extensions["describers"]:
        describer(document)
    return document


def _describe_access(document: Document) -> None:
    """Add the error schema and, to each operation, its required scope and its error responses."""
    document.setdefault("components", {}).setdefault("schemas", {}).setdefault("HTTPError", ERROR_SCHEMA)
    anonymous: list[Document] = [{}] if current_app.extensions.get("open") else []
    for path, operation, scope in _operations(document):
        if path != LIVENESS_PATH:
            add_error_response(operation, Unavailable)
        if path in PROBES or scope is None:
            operation["security"] = []
            continue
        operation["security"] = [*anonymous, *({name: [str(scope)]} for name in SECURITY_SCHEMES)]
        for refusal in REFUSALS:
            add_error_response(operation, refusal)


def _operations(document: Document) -> Iterator[tuple[str, Document, Scope | None]]:
    for rule in current_app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in rule.methods or ():
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation:
                yield path, operation, scope_of(current_app, rule.endpoint)


def require_bodies(document: Document) -> None:
    """State that every request with a body must have it, for services whose routes have no optional body."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True


def add_error_response(operation: Document, error: type[DriftlineError]) -> None:
    """Add the response of an error to an operation, unless one of its status is described already."""
    operation["responses"].setdefault(str(error.status.value), error_response(error))


def error_response(error: type[DriftlineError], more: str = "") -> Document:
    """Return the description of an error's response, with `more` after the error's own text."""
    response: Document = {"description": f"{error.default_message()}{more}", "content": ERROR_CONTENT}
    status = error.status.value
    if status in ERROR_HEADERS:
        response["headers"] = ERROR_HEADERS[status]
    return response
