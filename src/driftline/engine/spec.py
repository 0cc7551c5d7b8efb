"""What is watched of a model and how: the content of a spec revision. No I/O here."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from driftline.engine.catalogue import (
    COLUMN_METHODS,
    CONFUSION,
    DEFAULT_COLUMN_METHODS,
    DEFAULT_METRICS,
    DEFAULT_QUALITY,
    METRICS,
    MULTIVARIATE_METHODS,
    OVERRIDABLE,
    ColumnKind,
    Problem,
    base,
    measure,
)
from driftline.engine.results import EVENT_TIME, ID, LABEL, PREDICTION, SCORE, Method, Metric, Quality, Statistic
from driftline.engine.thresholds.overrides import StandardDeviationThreshold, ThresholdOverride

RESERVED = frozenset(
    {EVENT_TIME, ID, LABEL, PREDICTION, SCORE, "probability_0", "model_version", "scored_at", "batch_number"}
)
"""Column names that every model's table has, and so no feature may have."""


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


time_zones = cache(available_timezones)
"""The names of all time zones: it reads a folder tree, so once."""


def _known_zone(name: str) -> str:
    if name not in time_zones():
        msg = f"unknown time zone {name!r}; use an IANA name such as 'Europe/Berlin' or 'UTC'"
        raise ValueError(msg)
    return name


class ColumnSpec(BaseModel):
    """A feature: its name, its kind, and whether it is watched for drift."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$")]
    kind: ColumnKind = ColumnKind.CONTINUOUS
    watched: bool = True


class BusinessValue(BaseModel):
    """What one prediction of each outcome is worth, in the user's own unit; negative is a cost."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    true_positive: float = 0.0
    false_positive: float = 0.0
    true_negative: float = 0.0
    false_negative: float = 0.0
    per_prediction: bool = False


class Spec(BaseModel):
    """The whole spec of a model: problem, columns, chunking, clock, label delay, metrics, methods and minimum rows.

    `label_coverage` is the share of labels that a chunk needs before realized performance decides; `minimum_rows` and
    `minimum_class_rows` (of the rarer class) are what a number needs to be said at all. `classes` are those of a
    multiclass model, as text; their scores are in columns probability_<class>. `segments` names categorical features by
    whose values all results are given apart. `exact_distances` keeps a reference of any length whole for
    Kolmogorov-Smirnov and Wasserstein. Without `metrics` the problem's default ones are computed; `confusion_matrix` of
    a binary model stands for its four numbers. `threshold_overrides` are by method and precede the policy `thresholds`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: Problem = Problem.BINARY
    classes: tuple[str, ...] = ()
    columns: tuple[ColumnSpec, ...] = Field(min_length=1)
    period: Period = Period.DAY
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    clock: ModelClock = ModelClock.WALL
    allowed_lateness: timedelta = Field(timedelta(0), ge=timedelta(0))
    label_delay: timedelta = Field(timedelta(0), ge=timedelta(0))
    label_coverage: float = Field(0.95, gt=0, le=1)
    minimum_rows: int = Field(100, ge=2)
    minimum_class_rows: int = Field(10, ge=1)
    metrics: tuple[Metric, ...] = DEFAULT_METRICS[Problem.BINARY]
    business_value: BusinessValue | None = None
    continuous_methods: tuple[Method, ...] = DEFAULT_COLUMN_METHODS[ColumnKind.CONTINUOUS]
    categorical_methods: tuple[Method, ...] = DEFAULT_COLUMN_METHODS[ColumnKind.CATEGORICAL]
    multivariate_methods: tuple[Method, ...] = ()
    quality: tuple[Quality, ...] = DEFAULT_QUALITY
    statistics: tuple[Statistic, ...] = ()
    segments: tuple[str, ...] = ()
    label_drift: bool = False
    exact_distances: bool = False
    thresholds: ThresholdPolicy = ThresholdPolicy.DRIFTLINE
    threshold_overrides: Mapping[str, Annotated[ThresholdOverride, Field(discriminator="type")]] = Field(
        default_factory=dict
    )
    drift_alerts: bool = False

    @model_validator(mode="before")
    @classmethod
    def _metrics_of_problem(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        problem, wanted = given.get("problem", Problem.BINARY), given.get("metrics") or ()
        if problem not in list(Problem) or isinstance(wanted, str | Mapping) or not isinstance(wanted, Collection):
            return given
        if not all(isinstance(name, str) for name in wanted):
            return given
        wanted = wanted or DEFAULT_METRICS[Problem(problem)]
        if problem == Problem.BINARY:
            wanted = [part for name in wanted for part in (CONFUSION if name == Metric.CONFUSION_MATRIX else (name,))]
        return {**given, "metrics": tuple(dict.fromkeys(wanted))}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Raise all contradictions as one error, each of them a fault of its own."""
        types = [PydanticCustomError("inconsistent", "{what}", {"what": fault}) for fault in self._faults()]
        faults = [InitErrorDetails(type=one, input=None) for one in types]
        if faults:
            raise ValidationError.from_exception_data(type(self).__name__, faults)
        return self

    def _faults(self) -> Iterator[str]:
        yield from self._column_faults()
        yield from self._metric_faults()
        yield from self._class_faults()
        yield from self._segment_faults()
        yield from self._threshold_faults()
        yield from self._method_faults()

    def _column_faults(self) -> Iterator[str]:
        names = [column.name for column in self.columns]
        taken = RESERVED.union(self.scores)
        twice = sorted({name for name in names if names.count(name) > 1} | (taken & set(names)))
        if twice:
            yield f"column names must be distinct and not reserved: {', '.join(twice)}"

    def _metric_faults(self) -> Iterator[str]:
        foreign = [metric for metric in self.metrics if metric not in METRICS[self.problem]]
        if foreign:
            yield f"a {self.problem} model has no {', '.join(foreign)}; it has {', '.join(METRICS[self.problem])}"
        if Metric.BUSINESS_VALUE in self.metrics and self.business_value is None:
            yield "business_value needs what each outcome is worth: give business_value with true_positive and so on"

    def _class_faults(self) -> Iterator[str]:
        if self.problem is not Problem.MULTICLASS and self.classes:
            yield f"classes belong to a multiclass model; this one is {self.problem}"
        if self.problem is Problem.MULTICLASS and len(set(self.classes)) < max(2, len(self.classes)):
            yield f"a multiclass model needs two or more distinct classes; got {list(self.classes)}"

    def _segment_faults(self) -> Iterator[str]:
        kinds = {column.name: column.kind for column in self.columns}
        wrong = [name for name in self.segments if kinds.get(name) is not ColumnKind.CATEGORICAL]
        if wrong:
            known = [name for name, kind in kinds.items() if kind is ColumnKind.CATEGORICAL]
            there = ", ".join(known) or "none"
            yield f"segments must be categorical features, not {', '.join(wrong)}; there are {there}"

    def _threshold_faults(self) -> Iterator[str]:
        unknown = sorted(set(self.threshold_overrides) - OVERRIDABLE)
        if unknown:
            yield f"there is no threshold for {', '.join(unknown)}; there is one for {', '.join(sorted(OVERRIDABLE))}"
        if isinstance(self.threshold_overrides.get(Method.DOMAIN_CLASSIFIER), StandardDeviationThreshold):
            yield "domain_classifier takes a constant threshold: the reference is not told apart from its own chunks"

    def _method_faults(self) -> Iterator[str]:
        given = {ColumnKind.CONTINUOUS: self.continuous_methods, ColumnKind.CATEGORICAL: self.categorical_methods}
        for kind, methods in given.items():
            foreign = [method for method in methods if method not in COLUMN_METHODS[kind]]
            if foreign:
                yield f"{kind}_methods cannot be {', '.join(foreign)}; there are {', '.join(COLUMN_METHODS[kind])}"
        univariate = [method for method in self.multivariate_methods if method not in MULTIVARIATE_METHODS]
        if univariate:
            yield f"{', '.join(univariate)} looks at one column; multivariate are {', '.join(MULTIVARIATE_METHODS)}"
        if self.multivariate_methods and not any(column.watched for column in self.columns):
            yield "multivariate_methods look at the watched features; watch some"

    def threshold_override(self, method: str) -> ThresholdOverride | None:
        """Return what `threshold_overrides` has for `method`, or for the method that it is one number of."""
        names = (method, base(method), measure(method).part_of or "")
        return next((self.threshold_overrides[name] for name in names if name in self.threshold_overrides), None)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone whose calendar the chunks follow."""
        return ZoneInfo(self.time_zone)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of all features, in table order."""
        return tuple(column.name for column in self.columns)

    @property
    def scores(self) -> tuple[str, ...]:
        """The names of the columns with the model's scores; a regression has none."""
        if self.problem is Problem.MULTICLASS:
            return tuple(score_column(name) for name in self.classes)
        return (SCORE,) if self.problem is Problem.BINARY else ()

    @property
    def output_columns(self) -> tuple[ColumnSpec, ...]:
        """What the model gave and what came true: scores, prediction, label. Classes of a binary model are 0 and 1."""
        return _output_columns(self.problem, self.scores)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the output columns."""
        return tuple(column.name for column in self.output_columns)

    @property
    def watched(self) -> tuple[ColumnSpec, ...]:
        """The columns watched for drift: features marked so, then scores, prediction, and the label where asked for."""
        own = _watched_outputs(self.problem, self.scores, (PREDICTION, LABEL) if self.label_drift else (PREDICTION,))
        return (*(column for column in self.columns if column.watched), *own)


@cache
def _watched_outputs(problem: Problem, scores: tuple[str, ...], others: tuple[str, ...]) -> tuple[ColumnSpec, ...]:
    kind = ColumnKind.CONTINUOUS if problem is Problem.REGRESSION else ColumnKind.CATEGORICAL
    return (
        *(ColumnSpec.model_construct(name=name) for name in scores),
        *(ColumnSpec.model_construct(name=name, kind=kind) for name in others),
    )


@cache
def _output_columns(problem: Problem, scores: tuple[str, ...]) -> tuple[ColumnSpec, ...]:
    kind = ColumnKind.CATEGORICAL if problem is Problem.MULTICLASS else ColumnKind.CONTINUOUS
    return (
        *(ColumnSpec.model_construct(name=name) for name in scores),
        ColumnSpec.model_construct(name=PREDICTION, kind=kind),
        ColumnSpec.model_construct(name=LABEL, kind=kind),
    )


def score_column(name: str) -> str:
    """Return the column with the score of class `name`."""
    return f"probability_{name}"
