"""The responses about versions of a model, as types that /openapi.json shows."""

from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from driftline.engine.catalogue import ColumnKind
from driftline.models.schema import ColumnsOut
from driftline.store.versions.registry import Version
from driftline.store.versions.roles import LONGEST_REASON

MOST_RETRAININGS = 1_000
_REFERENCE: dict[str, Any] = {
    "name": "churn",
    "version": 2,
    "content_hash": "5b0c1e" * 10 + "d04a",
    "rows": 26_600,
    "since": "2026-03-01T00:00:00Z",
    "until": "2026-03-28T23:59:00Z",
    "chunks": 28,
    "columns": {
        "timestamp": "day",
        "id": "subscriber_day",
        "label": "churned",
        "prediction": "prediction",
        "scores": {"probability_1": "score"},
        "na_values": ["ERR"],
    },
    "features": [{"name": "amount", "kind": "continuous", "watched": True}],
}


class FeatureOut(BaseModel):
    """A feature by its name in the reference file; drift is computed of those that are watched."""

    name: str
    kind: ColumnKind
    watched: bool


class VersionReferenceOut(BaseModel):
    """The frozen reference of a version: its rows, its first and last event, and its columns."""

    model_config = ConfigDict(json_schema_extra={"example": _REFERENCE})

    name: str
    version: int
    content_hash: str = Field(description="identifies its rows; results name it")
    rows: int
    since: datetime
    until: datetime
    chunks: int
    columns: ColumnsOut
    features: tuple[FeatureOut, ...]

    @classmethod
    def of(cls, version: Version) -> Self:
        """Return the JSON object of a version's reference."""
        fitted, spec, layout = version.fitted, version.spec, version.layout
        return cls(
            name=version.name,
            version=version.number,
            content_hash=version.reference_hash,
            rows=fitted.rows,
            since=fitted.since,
            until=fitted.until,
            chunks=fitted.chunks,
            columns=ColumnsOut.of(layout, spec.scores),
            features=tuple(
                FeatureOut(name=layout.sources.get(column.name, column.name), kind=column.kind, watched=column.watched)
                for column in spec.columns
            ),
        )


class VersionStateOut(BaseModel):
    """A version of a model and its state."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "churn", "version": 1, "state": "retired"}})

    name: str
    version: int
    state: str


class RetrainingsQuery(BaseModel):
    """Which retrainings: the newest, or those before the position of one."""

    model_config = ConfigDict(extra="forbid")

    most: int = Field(100, ge=1, le=MOST_RETRAININGS)
    before: int | None = Field(None, ge=1, le=2**31 - 1, description="the last position of the page before")


class ReasonIn(BaseModel):
    """Why a role changes; it is kept with the change."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"reason": "better on the last 14 days"}})

    reason: str = Field(min_length=1, max_length=LONGEST_REASON)
