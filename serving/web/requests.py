"""The body of a request for predictions, checked. No I/O here."""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from driftline.errors import InvalidInput
from driftline.validation_faults import validation_faults
from serving.predictor import RequestedRow

MOST_ROWS = 1_000
"""Rows of a request; a batch job sends more of them with `MonitorClient` and its own copy of the model."""
PREDICT_PATH = "/predict"
SINGLE = ("id", "at", "features", "subscriber")
"""The fields of a row, which a request for one row has itself."""

BRIEF_BYTES = 8_192
"""A body with one row of features that is not longer is scored in about a millisecond."""

MOST_FAULTS = 20
"""Faults of a request that an answer lists."""

FeatureValue = int | float | str | bool | None


class RowIn(BaseModel):
    """A row to predict: its features, or the subscriber whose stored features are used (the churn model's alone)."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=128, description="by which its label is sent")] | None = None
    at: Annotated[AwareDatetime, Field(description="when the event was; by default now, or the stored day")] | None = (
        None
    )
    features: dict[str, FeatureValue] | None = None
    subscriber: Annotated[str, Field(min_length=1, max_length=20)] | None = None

    @model_validator(mode="after")
    def _require_one_source(self) -> Self:
        if (self.features is None) is (self.subscriber is None):
            msg = "send either `features` or `subscriber`"
            raise ValueError(msg)
        return self


class PredictIn(BaseModel):
    """A request: rows, or the fields of one row; by default of the default model, and logged."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    log: bool = True
    rows: Annotated[list[RowIn], Field(min_length=1, max_length=MOST_ROWS)] | None = None

    @property
    def is_single(self) -> bool:
        """Whether the request had the fields of one row, so that the answer has those of one prediction."""
        return "rows" not in self.model_fields_set


class SinglePredictIn(RowIn):
    """A request for one row, as the description of the API has it."""

    model: str | None = None
    log: bool = True


def read_request(body: Any) -> tuple[PredictIn, list[RequestedRow]]:
    """Return a request and its rows.

    Raises:
        InvalidInput: with every fault.
    """
    if not isinstance(body, dict):
        raise InvalidInput('The body is not a JSON object; send {"features": {...}} or {"rows": [...]}.')
    single = {name: body[name] for name in SINGLE if name in body}
    if "rows" in body and single:
        raise InvalidInput(
            f"The request has `rows` and also {', '.join(single)}; send the fields of rows inside `rows`."
        )
    try:
        request = PredictIn.model_validate({name: value for name, value in body.items() if name not in single})
        rows = [RowIn.model_validate(single)] if request.rows is None else request.rows
        return request, [RequestedRow(row.id, row.at, row.features, row.subscriber) for row in rows]
    except ValidationError as error:
        raise InvalidInput(
            "The request is not valid.", details=tuple(islice(validation_faults(error), MOST_FAULTS))
        ) from None


def read_brief_body(method: str, path: str, body: bytes) -> Mapping[str, Any] | None:
    """Return the JSON of a request that predicts one small row of features; None for any other.

    It waits for nothing but the loading of its model; a subscriber's row is read from the database.
    """
    if method != "POST" or path != PREDICT_PATH or len(body) > BRIEF_BYTES:
        return None
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or "features" not in fields or "rows" in fields or "subscriber" in fields:
        return None
    return fields if isinstance(fields.get("model"), str | None) else None
