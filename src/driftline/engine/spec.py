"""The spec of a model: its problem, columns, chunks, metrics, methods and thresholds. No I/O here."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

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
from driftline.engine.threshold_override import StandardDeviationThreshold, ThresholdOverride
from driftline.errors import InvalidInput
from driftline.validation_faults import raise_contradictions, validation_faults

STORED_ROW_COLUMNS = (
    "model_version",
    "scored_at",
    "batch_number",
    "batch_position",
    "label_known_at",
    "label_batch_number",
)
RESERVED = frozenset({EVENT_TIME, ID, LABEL, PREDICTION, SCORE, "probability_0", *STORED_ROW_COLUMNS})
"""Column names that every model has, so that no feature may use them."""


class Period(StrEnum):
    """The length of a chunk; periods follow the calendar of the spec's time zone, weeks start on Monday."""

    HOUR = "1h"
    DAY = "1d"
    WEEK = "1w"
    MONTH = "1mo"
    QUARTER = "1q"


class ModelClock(StrEnum):
    """The clock that closes a chunk: wall time, or the newest event of the data."""

    WALL = "wall"
    DATA = "data"


class ThresholdPolicy(StrEnum):
    """The policy by which bounds are drawn."""

    DRIFTLINE = "driftline"
    NANNYML = "nannyml"


class AlertOn(StrEnum):
    """The condition for an alert within the budget: a change, or a change by which a metric gets worse."""

    CHANGE = "change"
    HARM = "harm"


time_zones = cache(available_timezones)
"""The names of all time zones, read from a folder tree and so only once."""


def _check_time_zone(name: str) -> str:
    if name not in time_zones():
        msg = f"unknown time zone {name!r:.100}; use an IANA name such as 'Europe/Berlin' or 'UTC'"
        raise ValueError(msg)
    return name


class ColumnSpec(BaseModel):
    """A feature: its name, its kind, and whether it is watched for drift. A plain name is a continuous feature."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    kind: ColumnKind = ColumnKind.CONTINUOUS
    watched: bool = True

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class BusinessValue(BaseModel):
    """The value of a prediction of each outcome, in a unit of the user's choice; a negative value is a cost."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    true_positive: float = 0.0
    false_positive: float = 0.0
    true_negative: float = 0.0
    false_negative: float = 0.0
    per_prediction: bool = False


class Spec(BaseModel):
    """The spec of a model: problem, columns, chunking, clock, label delay, metrics, methods and thresholds.

    - `label_coverage` is the share of labels that a chunk needs before realized performance decides.
    - `minimum_rows` and `minimum_class_rows` (of the rarer class) are required for a value to be computed.
    - `classes` are those of a multiclass model, as text; their scores are in columns probability_<class>.
    - `metrics` are by default those of the problem; `confusion_matrix` of a binary model becomes its four
      numbers.
    - `segments` names categorical features; results are also computed for each of their values.
    - `exact_distances` stores all values of the reference for Kolmogorov-Smirnov and Wasserstein, however many.
    - `threshold_overrides` are by method and take precedence over the policy `thresholds`.
    - `alert_budget` is the largest number of false alerts per year of a classifier with scores or a regression; None:
      only bounds alert. `alert_on` states whether any change alerts, or only one by which a metric gets worse.

    >>> import driftline as dl
    >>> columns = [{"name": "usage"}, {"name": "plan", "kind": "categorical"}]
    >>> spec = dl.Spec(columns=columns, label_delay="P3D", segments=["plan"])
    >>> spec.features, str(spec.label_delay)
    (('usage', 'plan'), '3 days, 0:00:00')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    problem: Problem = Problem.BINARY
    classes: tuple[str, ...] = ()
    columns: tuple[ColumnSpec, ...] = Field(min_length=1)
    period: Period = Period.DAY
    time_zone: Annotated[str, AfterValidator(_check_time_zone)] = "UTC"
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
    alert_budget: float | None = Field(1.0, gt=0, allow_inf_nan=False)
    alert_on: AlertOn = AlertOn.CHANGE

    def __init__(self, /, **fields: Any) -> None:
        """Check the fields; raise one InvalidInput that lists every fault."""
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InvalidInput("The spec is not valid.", details=tuple(spec_faults(error, fields))) from None

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # model_validate does not call it

    @model_validator(mode="before")
    @classmethod
    def _metrics_of_problem(cls, fields: Any) -> Any:
        """Fill in the problem's default metrics, and the numbers of a binary confusion matrix.

        Fields of a wrong type are returned as they are: validation names them.
        """
        if not isinstance(fields, dict):
            return fields
        problem, metrics = fields.get("problem", Problem.BINARY), fields.get("metrics") or ()
        if problem not in list(Problem) or isinstance(metrics, str | Mapping) or not isinstance(metrics, Collection):
            return fields
        if not all(isinstance(name, str) for name in metrics):
            return fields
        metrics = metrics or DEFAULT_METRICS[Problem(problem)]
        if problem == Problem.BINARY:
            metrics = [part for name in metrics for part in (CONFUSION if name == Metric.CONFUSION_MATRIX else (name,))]
        return {**fields, "metrics": tuple(dict.fromkeys(metrics))}

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Raise one ValidationError with all contradictions, each as a separate error."""
        raise_contradictions(type(self).__name__, self._faults())
        return self

    def _faults(self) -> Iterator[str]:
        """Yield a message for each contradiction between fields."""
        yield from self._column_faults()
        yield from self._metric_faults()
        yield from self._class_faults()
        yield from self._segment_faults()
        yield from self._threshold_faults()
        yield from self._method_faults()

    def _column_faults(self) -> Iterator[str]:
        names = [column.name for column in self.columns]
        reserved = RESERVED.union(self.scores)
        invalid = sorted({name for name in names if names.count(name) > 1} | (reserved & set(names)))
        if invalid:
            yield f"column names must be distinct and not reserved: {', '.join(invalid)}"

    def _metric_faults(self) -> Iterator[str]:
        unsupported = [metric for metric in self.metrics if metric not in METRICS[self.problem]]
        if unsupported:
            yield f"a {self.problem} model has no {', '.join(unsupported)}; it has {', '.join(METRICS[self.problem])}"
        if Metric.BUSINESS_VALUE in self.metrics and self.business_value is None:
            yield "business_value needs what each outcome is worth; set business_value with true_positive and so on"

    def _class_faults(self) -> Iterator[str]:
        if self.problem is not Problem.MULTICLASS and self.classes:
            yield f"classes belong to a multiclass model; this one is {self.problem}"
        if self.problem is Problem.MULTICLASS and len(set(self.classes)) < max(2, len(self.classes)):
            yield f"a multiclass model needs two or more distinct classes; got {list(self.classes)}"

    def _segment_faults(self) -> Iterator[str]:
        kinds = {column.name: column.kind for column in self.columns}
        invalid = [name for name in self.segments if kinds.get(name) is not ColumnKind.CATEGORICAL]
        if invalid:
            available = ", ".join(name for name, kind in kinds.items() if kind is ColumnKind.CATEGORICAL) or "none"
            yield f"segments must be categorical features, not {', '.join(invalid)}; available: {available}"

    def _threshold_faults(self) -> Iterator[str]:
        unknown = sorted(set(self.threshold_overrides) - OVERRIDABLE)
        if unknown:
            yield f"there is no threshold for {', '.join(unknown)}; available: {', '.join(sorted(OVERRIDABLE))}"
        if isinstance(self.threshold_overrides.get(Method.DOMAIN_CLASSIFIER), StandardDeviationThreshold):
            yield "domain_classifier takes a constant threshold: it cannot tell the reference from its own chunks"

    def _method_faults(self) -> Iterator[str]:
        by_kind = {ColumnKind.CONTINUOUS: self.continuous_methods, ColumnKind.CATEGORICAL: self.categorical_methods}
        for kind, methods in by_kind.items():
            unsupported = [method for method in methods if method not in COLUMN_METHODS[kind]]
            if unsupported:
                yield f"{kind}_methods cannot be {', '.join(unsupported)}; available: {', '.join(COLUMN_METHODS[kind])}"
        univariate = [method for method in self.multivariate_methods if method not in MULTIVARIATE_METHODS]
        if univariate:
            yield f"{', '.join(univariate)} looks at one column; multivariate are {', '.join(MULTIVARIATE_METHODS)}"
        if self.multivariate_methods and not any(column.watched for column in self.columns):
            yield "multivariate_methods look at the watched features; watch some"

    def threshold_override(self, method: str) -> ThresholdOverride | None:
        """Return the override for `method`, or for the method of which it is one number; None if there is none."""
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
        """The columns of the model's outputs and the truth: scores, prediction, label. Binary classes are 0 and 1."""
        return _output_columns(self.problem, self.scores)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The names of the output columns."""
        return tuple(column.name for column in self.output_columns)

    @property
    def watched(self) -> tuple[ColumnSpec, ...]:
        """The columns watched for drift: those features, then scores, prediction, and the label if `label_drift`."""
        outputs = _watched_outputs(
            self.problem, self.scores, (PREDICTION, LABEL) if self.label_drift else (PREDICTION,)
        )
        return (*(column for column in self.columns if column.watched), *outputs)


def spec_faults(error: ValidationError, fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield every fault of the fields of a spec: those of `error`, and the contradictions among the other fields.

    Pydantic reports contradictions only if each field is valid by itself.
    """
    yield from validation_faults(error, root="spec")
    invalid = {fault["loc"][0] for fault in error.errors() if fault["loc"]}
    if not invalid or "problem" in invalid:
        return
    try:
        Spec.model_validate(_without(invalid, fields))
    except ValidationError as further:
        yield from validation_faults(further, root="spec")


def _without(invalid: Collection[int | str], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are valid, and stand-ins for those that others need."""
    valid = {name: value for name, value in fields.items() if name not in invalid}
    if "columns" in invalid:
        valid = {**valid, "columns": ("column",), "segments": ()}
    if "business_value" in invalid:
        valid["business_value"] = BusinessValue()
    if "classes" in invalid and valid.get("problem") == Problem.MULTICLASS:
        valid["classes"] = ("0", "1")
    return valid


@cache
def _watched_outputs(problem: Problem, scores: tuple[str, ...], outputs: tuple[str, ...]) -> tuple[ColumnSpec, ...]:
    kind = ColumnKind.CONTINUOUS if problem is Problem.REGRESSION else ColumnKind.CATEGORICAL
    return (
        *(ColumnSpec.model_construct(name=name) for name in scores),
        *(ColumnSpec.model_construct(name=name, kind=kind) for name in outputs),
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
