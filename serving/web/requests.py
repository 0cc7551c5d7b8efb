"""The body of a request for predictions, checked. No I/O here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Annotated, Any, Generic, Self, TypeVar, cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from driftline.errors import InvalidInput
from driftline.validation_faults import validation_faults
from serving.predictor import RequestedRow

MOST_ROWS = 1_000
"""Rows of a request; a batch job sends more of them with `MonitorClient` and its own copy of the model."""
PREDICT_PATH = "/predict"
SINGLE = ("id", "at", "features")
"""The fields of every row, which a request for one row has itself."""

BRIEF_BYTES = 8_192
"""A body with one row of features that is not longer is scored in about a millisecond."""

MOST_FAULTS = 20
"""Faults of a request that an answer lists."""

FeatureValue = int | float | str | bool | None


class RowIn(BaseModel):
    """A row to predict, by its features."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=128, description="by which its label is sent")] | None = None
    at: Annotated[AwareDatetime, Field(description="when the event was; by default now, or the stored day")] | None = (
        None
    )
    features: dict[str, FeatureValue] | None = None

    @property
    def requested(self) -> RequestedRow:
        """The row as the predictor takes it."""
        return RequestedRow(self.id, self.at, self.features)

    @model_validator(mode="after")
    def _require_one_source(self) -> Self:
        if self.features is None:
            raise ValueError("send `features`")
        return self


class StoredRowIn(RowIn):
    """A row to predict: its features, or the subject whose stored features are used."""

    subject: Annotated[str, Field(min_length=1, max_length=128)] | None = None

    @property
    def requested(self) -> RequestedRow:
        """The row as the predictor takes it."""
        return RequestedRow(self.id, self.at, self.features, self.subject)

    @model_validator(mode="after")
    def _require_one_source(self) -> Self:
        if (self.features is None) is (self.subject is None):
            raise ValueError(f"send either `features` or `{type(self).model_fields['subject'].alias}`")
        return self


Row = TypeVar("Row", bound=RowIn)


class PredictIn(BaseModel, Generic[Row]):
    """A request: rows, or the fields of one row; by default of the default model, and logged."""

    model_config = ConfigDict(extra="forbid", title="PredictIn", json_schema_extra={"description": "Rows to predict."})

    model: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    log: bool = True
    rows: Annotated[list[Row], Field(min_length=1, max_length=MOST_ROWS)] | None = None

    @property
    def is_single(self) -> bool:
        """Whether the request had the fields of one row, so that the answer has those of one prediction."""
        return "rows" not in self.model_fields_set


@dataclass(frozen=True, slots=True)
class RequestTypes:
    """The types of a request, of one row, and of a request for one row as the description of the API has it."""

    request: type[PredictIn[RowIn]]
    row: type[RowIn]
    single: type[RowIn]


@cache
def request_types(subject_field: str | None) -> RequestTypes:
    """Return the types where a field of that name may stand for features; with None, each row needs features."""
    row, generic = RowIn, cast("Any", PredictIn)
    if subject_field is not None:
        subject: Any = (StoredRowIn.model_fields["subject"].annotation, Field(None, alias=subject_field))
        row = create_model("RowIn", __base__=StoredRowIn, __doc__=StoredRowIn.__doc__, subject=subject)
    further: Any = {"model": (str | None, None), "log": (bool, True)}
    single = create_model("SinglePredictIn", __base__=row, __doc__=row.__doc__, **further)
    return RequestTypes(generic[row], row, single)


def read_request(body: Any, subject_field: str | None) -> tuple[PredictIn[RowIn], list[RequestedRow]]:
    """Return a request and its rows, in which `subject_field` may stand for features.

    Raises:
        InvalidInput: with every fault.
    """
    if not isinstance(body, dict):
        raise InvalidInput('The body is not a JSON object; send {"features": {...}} or {"rows": [...]}.')
    types = request_types(subject_field)
    single = {name: body[name] for name in (*SINGLE, subject_field) if name is not None and name in body}
    if "rows" in body and single:
        raise InvalidInput(
            f"The request has `rows` and also {', '.join(single)}; send the fields of rows inside `rows`."
        )
    try:
        request = types.request.model_validate({name: value for name, value in body.items() if name not in single})
        rows = [types.row.model_validate(single)] if request.rows is None else request.rows
        return request, [row.requested for row in rows]
    except ValidationError as error:
        raise InvalidInput(
            "The request is not valid.", details=tuple(islice(validation_faults(error), MOST_FAULTS))
        ) from None


def read_brief_body(method: str, path: str, body: bytes) -> Mapping[str, Any] | None:
    """Return the JSON of a request that predicts one small row of features; None for any other.

    It waits for nothing but the loading of its model; a stored row is read from the database.
    """
    if method != "POST" or path != PREDICT_PATH or len(body) > BRIEF_BYTES:
        return None
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or "features" not in fields or "rows" in fields:
        return None
    return fields if isinstance(fields.get("model"), str | None) else None
