"""What `/openapi.json` says of all routes alike: how to show a token, which scope each needs, how it may refuse."""

import re
from collections.abc import Callable, Iterator
from typing import Any

from apiflask import APIFlask
from flask import current_app

from driftline.errors import DriftlineError, Unavailable
from driftline.http.access import PROBES, REFUSALS, scope_of
from driftline.http.scopes import Scope

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
            },
        }
    },
}
ERROR_CONTENT = {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPError"}}}
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "a token made by `driftline token create`"},
    "basic": {"type": "http", "scheme": "basic", "description": "any user, and the token as password: for browsers"},
}
HEADERS: dict[int, Document] = {
    401: {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Bearer, and Basic for browsers"}},
    429: {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "seconds"}},
}
ALIVE = "/healthz"
"""The one path that needs no server."""


def describe(app: APIFlask) -> None:
    """Have the document of an app's routes say who may use them; `add` adds to what it says."""
    app.security_schemes = SCHEMES
    app.extensions["describers"] = [_describe_access]
    app.spec_processor(_described)


def add(app: APIFlask, describer: Callable[[Document], None]) -> None:
    """Let a function change the document in place before it is given out."""
    app.extensions["describers"].append(describer)


def _described(document: Document) -> Document:
    for describer in current_app.extensions["describers"]:
        describer(document)
    return document


def _describe_access(document: Document) -> None:
    document.setdefault("components", {}).setdefault("schemas", {}).setdefault("HTTPError", ERROR_SCHEMA)
    anybody: list[Document] = [{}] if current_app.extensions.get("open") else []
    for path, operation, scope in _operations(document):
        if path != ALIVE:
            _add_answer(operation, Unavailable)
        if path in PROBES or scope is None:
            operation["security"] = []
            continue
        operation["security"] = [*anybody, *({name: [str(scope)]} for name in SCHEMES)]
        for refusal in REFUSALS:
            _add_answer(operation, refusal)


def _operations(document: Document) -> Iterator[tuple[str, Document, Scope | None]]:
    for rule in current_app.url_map.iter_rules():
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in rule.methods or ():
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation:
                yield path, operation, scope_of(current_app, rule.endpoint)


def _add_answer(operation: Document, error: type[DriftlineError]) -> None:
    status = error.status.value
    answer: Document = {"description": error.__doc__, "content": ERROR_CONTENT}
    if status in HEADERS:
        answer["headers"] = HEADERS[status]
    operation["responses"].setdefault(str(status), answer)
