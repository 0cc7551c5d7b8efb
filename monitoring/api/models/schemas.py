"""The requests of models, as types that /openapi.json shows."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from werkzeug.datastructures import MultiDict

from driftline.backtesting.request.request import Request
from driftline.errors import InvalidInput
from driftline.ingest.rows.layouts import query_option
from driftline.models.schema import ModelSummaryOut
from driftline.store.versions.owners import LONGEST_OWNER
from monitoring.api.schemas import Texts


def _fields(value: object) -> object:
    """Read the fields of a spec that a query has as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('must be a JSON object such as {"minimum_rows": 50}') from None


REPEATABLE = ("score", "features", "categorical", "na_values")
"""The options that a query may have several times."""


class ModelListOut(BaseModel):
    """All models in the order of their names."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "models": [
                    {
                        "name": "churn",
                        "versions": [1, 2],
                        "registered_at": "2026-01-03T09:00:00Z",
                        "version": 2,
                        "problem": "binary",
                        "period": "1d",
                        "features": 25,
                        "newest_chunk": "2026-05-12T00:00:00Z",
                        "state": "warn",
                        "owner": "retention team",
                    }
                ]
            }
        }
    )

    models: tuple[ModelSummaryOut, ...]


class ReferenceQuery(BaseModel):
    """Options about the columns of the reference; they are those of `driftline backtest`."""

    model_config = ConfigDict(extra="forbid")

    timestamp: str = Field(min_length=1, description="column with the time of each prediction")
    label: str | None = Field(None, description="column with the true outcome")
    prediction: str | None = Field(None, description="column with the model's prediction")
    score: Texts = Field(
        default_factory=list, description="column with the probability of class 1; or CLASS=COLUMN, once for each class"
    )
    id: str | None = Field(None, description="column with the id of each prediction")
    features: Texts = Field(default_factory=list, description="features; default: every other column")
    categorical: Texts = Field(default_factory=list, description="numeric columns to treat as categorical")
    reference_until: str | None = Field(None, description="first instant after the reference; default: all rows")
    chunk: str | None = Field(None, description="1h, 1d, 1w, 1mo or 1q")
    problem: str | None = Field(None, description="binary, multiclass or regression")
    positive: str | None = Field(None, description="value of label and prediction that stands for class 1")
    na_values: Texts = Field(default_factory=list, max_length=100, description="further words for a missing value")
    alert_budget: float | None = Field(None, description="false alerts a year at most")
    alert_on: str | None = Field(None, description="change or harm")
    spec: Annotated[dict[str, Any], BeforeValidator(_fields)] = Field(
        default_factory=dict, description="further fields of the spec, as JSON"
    )
    owner: str | None = Field(None, max_length=LONGEST_OWNER, description="person or team to ask about the model")
    dry_run: bool = Field(False, description="infer and answer, store nothing")

    def request(self, query: "MultiDict[str, str]") -> tuple[Request, tuple[str, ...]]:
        """Return the request, and its scores as they are written: a column, or `CLASS=COLUMN`.

        `query` is the whole query, since APIFlask passes only the first of repeated values.
        """
        lists = {option: tuple(query.getlist(option)) for option in REPEATABLE}
        request = Request(
            option=query_option,
            timestamp=self.timestamp,
            label=self.label,
            prediction=self.prediction,
            id=self.id,
            features=lists["features"] or None,
            categorical=lists["categorical"] or None,
            reference_until=self.reference_until,
            chunk=self.chunk,
            problem=self.problem,
            positive=self.positive,
            na_values=lists["na_values"],
            alert_budget=self.alert_budget,
            alert_on=self.alert_on,
            spec=self.spec,
        )
        return request, lists["score"]


class OwnerIn(BaseModel):
    """The owner of a model; null takes it away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"owner": "retention team"}})

    owner: str | None = Field(min_length=1, max_length=LONGEST_OWNER)


class OwnerOut(BaseModel):
    """The owner of a model, or null."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "churn", "owner": "retention team"}})

    name: str
    owner: str | None


class RevisionQuery(BaseModel):
    """The model version; by default the champion, or else the newest."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(None, ge=1, le=2**31 - 1)


class RevisionIn(BaseModel):
    """The fields of the spec to change, such as `label_delay`, `period`, `metrics` or `alert_budget`."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"minProperties": 1})

    @property
    def changes(self) -> dict[str, Any]:
        """The fields; raise InvalidInput where there are none."""
        fields = self.model_dump(mode="json")
        if not fields:
            raise InvalidInput('Nothing is to change; send fields of the spec, such as {"label_delay": "P3D"}.')
        return fields
