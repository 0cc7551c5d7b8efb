"""What /openapi.json says about the bodies, headers and refusals of ingestion."""

from typing import Any

from driftline.errors import BatchConflict, DriftlineError, InvalidInput, NotFound, PredictionConflict
from driftline.http.api_description import Document, error_response
from driftline.ingest.errors import TooMuchContent, UnsupportedContent
from driftline.ingest.ingestion import LONGEST_KEY
from driftline.ingest.rows.content import NESTED, Encoding, Format

_VALUE: Document = {"type": ["string", "number", "boolean", "null"]}
_INSTANT: Document = {"type": ["string", "number", "null"], "description": "ISO 8601, or seconds since 1970"}
_ID: Document = {"type": ["string", "integer"]}
_VALUES: Document = {"type": ["object", "null"], "additionalProperties": _VALUE}
_PREDICTION: Document = {
    "id": _ID,
    "at": _INSTANT,
    "prediction": _VALUE,
    "score": {"type": ["number", "string", "null"]},
    "scores": _VALUES,
    "features": _VALUES,
}
_LABEL: Document = {"id": _ID, "label": _VALUE, "known_at": _INSTANT}
_ROWS: dict[str, tuple[Document, list[str], Document]] = {
    "predictions": (
        _PREDICTION,
        ["id", "prediction", "features"],
        {
            "id": "a-17",
            "at": "2026-01-31T12:00:00Z",
            "prediction": 1,
            "score": 0.83,
            "features": {"amount": 12.5, "country": "NL"},
        },
    ),
    "corrections": (
        _PREDICTION,
        ["id", "prediction", "features"],
        {"id": "a-17", "prediction": 1, "score": 0.83, "features": {"amount": 21.5, "country": "NL"}},
    ),
    "labels": (_LABEL, ["id", "label"], {"id": "a-17", "label": 1, "known_at": "2026-02-03T00:00:00Z"}),
}
_TABLES = "a table with the columns that the model has in its reference file"
_IDS: Document = {"type": "array", "items": _ID, "maxItems": 100_000}
_DELETION: Document = {
    "oneOf": [
        {"type": "object", "properties": {"ids": _IDS}, "required": ["ids"], "additionalProperties": False},
        {
            "type": "object",
            "properties": {"column": {"type": "string"}, "value": {"type": ["string", "number", "boolean"]}},
            "required": ["column", "value"],
            "additionalProperties": False,
        },
    ]
}
_DELETED: Document = {Format.JSON: {"schema": _DELETION, "example": {"ids": ["a-17", "a-18"]}}}
_HEADERS: tuple[Document, ...] = (
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "makes the id of the batch; without one the content does",
        "schema": {"type": "string", "pattern": f"^[!-~]{{1,{LONGEST_KEY}}}$"},
    },
    {
        "name": "Content-Encoding",
        "in": "header",
        "description": "how the body is compressed",
        "schema": {"type": "string", "enum": [str(Encoding.NONE)]},
    },
)
_REFUSALS: tuple[type[DriftlineError], ...] = (
    InvalidInput, NotFound, BatchConflict, TooMuchContent, UnsupportedContent,
)  # fmt: skip


def describe_batches(document: Document, prefix: str) -> None:
    """Add to each route of batches its body, its headers and its refusals."""
    contents = {kind: _content(*described) for kind, described in _ROWS.items()}
    for kind, content in (contents | {"deletions": _DELETED}).items():
        operation = document["paths"].get(f"{prefix}/{kind}", {}).get("post")
        if operation is None:
            continue
        operation["requestBody"] = {"required": True, "content": content}
        operation.setdefault("parameters", []).extend(_HEADERS)
        for error in _REFUSALS:
            more = f" {PredictionConflict.default_message()}" if error is BatchConflict else ""
            operation["responses"][str(error.status.value)] = error_response(error, more)


def _content(properties: Document, required: list[str], example: Any) -> Document:
    row = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    bodies: dict[str, Document] = {
        Format.JSON: {"schema": {"oneOf": [row, {"type": "array", "items": row}]}, "example": [example]},
    }
    return bodies | {
        format_: {"schema": {"type": "string", "format": "binary", "description": _TABLES}}
        for format_ in Format
        if format_ not in NESTED
    }
