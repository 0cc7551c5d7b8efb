"""What is watched of a model and how: the content of a spec revision. No I/O here."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE, Method, Metric

RESERVED = frozenset(
    {EVENT_TIME, ID, LABEL, PREDICTION, SCORE, "probability_0", "model_version", "scored_at", "batch_number"}
)
"""Column names that every model's table has, and so no feature may have."""


class ColumnKind(StrEnum):
    """How a column's values are compared."""

    CONTINUOUS = "continuous"
    CATEGORICAL = "categorical"


class Period(StrEnum):
    """How long a chunk is; periods follow the calendar of the spec's time zone, weeks start on Monday."""

    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"
    MONTH = "1mo"
    QUARTER = "1q"


class ModelClock(StrEnum):
    """Whose time closes a chunk: the wall's, or the data's own (its newest event)."""

    WALL = "wall"
    DATA = "data"


class ThresholdPolicy(StrEnum):
    """Whose bounds results are held against."""

    DRIFTLINE = "driftline"
    NANNYML = "nannyml"


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        msg = f"unknown time zone {name!r}; use an IANA name such as 'Europe/Berlin' or 'UTC'"
        raise ValueError(msg)
    return name


class ColumnSpec(BaseModel):
    """A feature: its name, its kind, and whether it is watched for drift."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
    kind: ColumnKind = ColumnKind.CONTINUOUS
    watched: bool = True


class ModelSpec(BaseModel):
    """The whole spec of a binary model: columns, chunking, clock, label delay, metrics, methods and minimum rows.

    `label_coverage` is the share of labels that a chunk needs before realized performance decides; `minimum_rows` and
    `minimum_class_rows` (of the rarer class) are what a number needs to be said at all.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    columns: tuple[ColumnSpec, ...] = Field(min_length=1)
    period: Period = Period.DAY
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    clock: ModelClock = ModelClock.WALL
    allowed_lateness: timedelta = Field(timedelta(0), ge=timedelta(0))
    label_delay: timedelta = Field(timedelta(0), ge=timedelta(0))
    label_coverage: float = Field(0.95, gt=0, le=1)
    minimum_rows: int = Field(100, ge=2)
    minimum_class_rows: int = Field(10, ge=1)
    metrics: tuple[Metric, ...] = tuple(Metric)
    continuous_methods: tuple[Method, ...] = (Method.JENSEN_SHANNON, Method.KOLMOGOROV_SMIRNOV, Method.WASSERSTEIN)
    categorical_methods: tuple[Method, ...] = (Method.JENSEN_SHANNON, Method.CHI2)
    thresholds: ThresholdPolicy = ThresholdPolicy.DRIFTLINE
    drift_alerts: bool = False

    @model_validator(mode="after")
    def _distinct_columns(self) -> Self:
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1} | (RESERVED & set(names)))
        if twice:
            msg = f"column names must be distinct and not reserved: {', '.join(twice)}"
            raise ValueError(msg)
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose calendar the chunks follow."""
        return ZoneInfo(self.time_zone)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of all features, in table order."""
        return tuple(column.name for column in self.columns)

    @property
    def watched(self) -> tuple[ColumnSpec, ...]:
        """The columns watched for drift: features marked so, then the score and the prediction."""
        own = (
            ColumnSpec.model_construct(name=SCORE),
            ColumnSpec.model_construct(name=PREDICTION, kind=ColumnKind.CATEGORICAL),
        )
        return (*(column for column in self.columns if column.watched), *own)
