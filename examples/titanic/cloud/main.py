"""Predicts one passenger at a time: `predict` is a Google Cloud Function, `handler` an AWS Lambda function.

Settings: `MODEL_ADDRESS` of the artifact (a folder, `gs://…` or `s3://…`); `LOG_TO`, without which nothing is
logged; `DRIFTLINE_TOKEN` for a monitor that needs one. Both functions are called by their platforms, with one request
at a time in each instance; it is logged before it is answered, since an instance may rest after its answer.
"""

import base64
import json
import os
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Protocol

from driftline import InvalidInput
from driftline.artifacts.loading import load_scorer
from driftline.client import Monitor

MODEL = "titanic"
LOG_SECONDS = 10.0
OK, BAD_REQUEST = 200, 400
JSON = {"Content-Type": "application/json"}


class HttpRequest(Protocol):
    """What `predict` reads of Flask's request."""

    def get_data(self) -> bytes:
        """Return the body."""


def predict(request: HttpRequest) -> tuple[str, int, Mapping[str, str]]:
    """Answer a request to the Cloud Function."""
    status, answer = _answer(request.get_data())
    return json.dumps(answer), status, JSON


def handler(event: Mapping[str, Any], context: object) -> Mapping[str, Any]:
    """Answer a request to the address of the Lambda function (version 2.0 of the format)."""
    body = event.get("body") or ""
    status, answer = _answer(base64.b64decode(body) if event.get("isBase64Encoded") else body.encode())
    return {"statusCode": status, "headers": JSON, "body": json.dumps(answer)}


def _answer(body: bytes) -> tuple[int, Mapping[str, Any]]:
    """Return the status and the answer to a body such as `{"id": "a-17", "at": "…", "features": {…}}`."""
    try:
        fields = _fields(body)
        scored = load_model(os.environ["MODEL_ADDRESS"]).score([fields["features"]])[0]
        row_id = _log(fields, scored.prediction, scored.score)
    except InvalidInput as error:
        return BAD_REQUEST, {"error": {"message": str(error), "details": [*error.details]}}
    return OK, {"id": row_id, "prediction": scored.prediction, "score": scored.score}


def _fields(body: bytes) -> dict[str, Any]:
    """Return the fields of a request, with the time as a datetime.

    Raises:
        InvalidInput: it is not a JSON object, a feature is missing, `id` is neither a text nor a whole number, or `at`
            is not a time with an offset.
    """
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:  # RecursionError: it is nested too deeply
        raise InvalidInput('The body is not JSON; send {"features": {...}}.') from error
    if not isinstance(fields, dict) or not isinstance(fields.get("features"), dict):
        raise InvalidInput('The body has no features; send {"features": {...}}.')
    if isinstance(fields.get("id"), bool) or not isinstance(fields.get("id"), str | int | None):
        raise InvalidInput(f"`id` is {fields['id']!r}; send a text or a whole number, or no id.")
    names = load_model(os.environ["MODEL_ADDRESS"]).inputs.features
    if missing := [name for name in names if name not in fields["features"]]:
        raise InvalidInput(f"Features are missing: {', '.join(missing)}; send null where there is no value.")
    return fields | {"at": _instant(fields.get("at"))}


def _instant(text: object) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise InvalidInput(f"`at` is {text!r}; send a time such as 2012-04-10T12:00:00+00:00.") from error
    if instant.tzinfo is None:
        raise InvalidInput(f"`at` is {text!r}, without an offset; send a time such as 2012-04-10T12:00:00+00:00.")
    return instant


def _log(fields: Mapping[str, Any], prediction: Any, score: float | None) -> str | None:
    """Log a prediction to the monitor and return its id; without a monitor, the id of the request."""
    address = os.environ.get("LOG_TO")
    if not address:
        return fields.get("id")
    monitor = connect(address)
    row_id = monitor.log(fields["features"], prediction, score, id=fields.get("id"), at=fields["at"])
    monitor.flush(LOG_SECONDS)  # what the monitor does not take now waits in the spool of this instance
    return row_id


load_model = cache(load_scorer)
"""Load the artifact once in each instance."""


@cache
def connect(address: str) -> Monitor:
    """Return the client of this instance, whose spool is in the memory of the instance."""
    return Monitor(address, MODEL, spool=Path(gettempdir()) / "spool", batch_seconds=0.1)
