"""What /openapi.json says about the bodies and refusals of models."""

from driftline.errors import Conflict, DriftlineError, InvalidInput, NotFound
from driftline.http.api_description import Document, add_error_response
from driftline.ingest.errors import TooMuchContent, UnsupportedContent
from driftline.ingest.rows.content import Encoding
from driftline.models.uploaded import FORMATS

_TABLE: Document = {"schema": {"type": "string", "format": "binary"}}
_ENCODING: Document = {
    "name": "Content-Encoding",
    "in": "header",
    "description": "how the body is compressed",
    "schema": {"type": "string", "enum": [str(Encoding.NONE)]},
}
_REFUSALS: dict[str, tuple[type[DriftlineError], ...]] = {
    "get": (NotFound,),
    "post": (InvalidInput, NotFound, Conflict, TooMuchContent, UnsupportedContent),
    "put": (InvalidInput, NotFound),
    "delete": (NotFound,),
}


def describe_references(document: Document, prefix: str) -> None:
    """Add the body of a registration, and to each route of a model its refusals."""
    for path in (f"{prefix}/{{name}}", f"{prefix}/{{name}}/specs", f"{prefix}/{{name}}/owner"):
        for method, operation in document["paths"].get(path, {}).items():
            for error in _REFUSALS.get(method, ()):
                add_error_response(operation, error)
    registration = document["paths"].get(f"{prefix}/{{name}}", {}).get("post")
    if registration is not None:
        registration["requestBody"] = {"required": True, "content": dict.fromkeys(map(str, FORMATS), _TABLE)}
        registration.setdefault("parameters", []).append(_ENCODING)
