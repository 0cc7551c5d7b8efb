"""The fitted state of every method, and the summary of a chunk from which results are computed. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Self

import pandas as pd

from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.drift.methods import SKETCHES, Sketch, methods_of
from driftline.engine.drift.sketches.bin_counts import BinCounts
from driftline.engine.frames.columns import Categories, Numbers, categories, numbers
from driftline.engine.frames.frame_type import not_a_frame
from driftline.engine.multivariate.methods import MULTIVARIATE, MultivariateState
from driftline.engine.performance.binary.performance import BinaryPerformance
from driftline.engine.performance.multiclass.performance import MulticlassPerformance
from driftline.engine.performance.protocol import Performance
from driftline.engine.performance.regression.performance import RegressionPerformance
from driftline.engine.quality import duplicates, freshness
from driftline.engine.quality.duplicates import DistinctRows
from driftline.engine.quality.freshness import NewestRow
from driftline.engine.quality.methods import MODULES as QUALITY_MODULES
from driftline.engine.quality.methods import STATES as QUALITY_STATES
from driftline.engine.quality.methods import quality_methods_of
from driftline.engine.quality.missing_values import MissingCounts
from driftline.engine.results import EVENT_TIME, ID, LABEL, Method, Quality
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.statistics import methods as statistic_methods
from driftline.engine.statistics.column_spread import ColumnSpread
from driftline.engine.tasks import Task, call
from driftline.errors import InvalidInput, SchemaMismatch

PERFORMANCE_OF: dict[Problem, type[Performance]] = {
    Problem.BINARY: BinaryPerformance,
    Problem.MULTICLASS: MulticlassPerformance,
    Problem.REGRESSION: RegressionPerformance,
}
"""The class that computes the performance of each problem."""


class SummaryContent(StrEnum):
    """The content that a summary covers: features (and outputs), outputs and labels, or everything.

    A summary of features does not change when labels arrive; a summary of labels is computed without reading features.
    """

    ALL = "all"
    FEATURES = "features"
    LABELS = "labels"

    def has(self, column: str) -> bool:
        """Return whether a summary has a watched column."""
        return self is SummaryContent.ALL or (column == LABEL) == (self is SummaryContent.LABELS)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnState:
    """The fitted states of a column, or the summaries of that column of a chunk."""

    missing: MissingCounts
    sketches: Mapping[Sketch, Any]
    quality: Mapping[Quality, Any] = field(default_factory=dict)
    statistics: Any = None

    def merge(self, other: "ColumnState") -> "ColumnState":
        """Merge the summaries of two parts of a chunk."""
        sketches = {key: SKETCHES[key].merge(part, other.sketches[key]) for key, part in self.sketches.items()}
        quality = {key: part.merge(other.quality[key]) for key, part in self.quality.items()}
        statistics = self.statistics.merge(other.statistics) if self.statistics else None
        return ColumnState(self.missing.merge(other.missing), sketches, quality, statistics)

    def to_dict(self) -> dict[str, Any]:
        """Return the states as JSON-compatible values."""
        return {
            "missing": self.missing.to_dict(),
            "sketches": {key.value: state.to_dict() for key, state in self.sketches.items()},
            "quality": {key.value: state.to_dict() for key, state in self.quality.items()},
            "statistics": self.statistics.to_dict() if self.statistics else None,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(
            MissingCounts.from_dict(state["missing"]),
            {Sketch(key): SKETCHES[Sketch(key)].state.from_dict(part) for key, part in state["sketches"].items()},
            {Quality(key): QUALITY_STATES[Quality(key)].from_dict(part) for key, part in state["quality"].items()},
            ColumnSpread.from_dict(state["statistics"]) if state.get("statistics") else None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class RowLevelSummary:
    """The summaries for the data quality of rows, rather than columns; None for methods that are not in the spec."""

    duplicates: DistinctRows | None
    freshness: NewestRow | None

    @classmethod
    def of(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Summarize some or all rows of a chunk."""
        return cls(
            duplicates.summarize(frame, spec) if Quality.DUPLICATES in spec.quality else None,
            freshness.summarize(frame) if Quality.FRESHNESS in spec.quality else None,
        )

    def merge(self, other: "RowLevelSummary") -> "RowLevelSummary":
        """Merge two parts of a chunk."""
        return RowLevelSummary(
            self.duplicates.merge(other.duplicates) if self.duplicates and other.duplicates else None,
            self.freshness.merge(other.freshness) if self.freshness and other.freshness else None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """The summary of a chunk's rows, from which all results are computed; summaries of parts can be merged.

    `performance` is a `PerformanceSummary`, or None if only features were summarized and performance does not depend on
    them. `row_level` is None if only labels were summarized.
    """

    rows: int
    performance: Any
    columns: Mapping[str, ColumnState]
    row_level: RowLevelSummary | None
    multivariate: Mapping[Method, Any]
    segments: "Mapping[str, Mapping[str, SegmentSummary]]" = field(default_factory=dict)

    def merge(self, other: "Summary") -> "Summary":
        """Merge two parts of a chunk, both summarized against the same reference."""
        return Summary(
            self.rows + other.rows,
            self.performance.merge(other.performance) if self.performance is not None else None,
            {name: column.merge(other.columns[name]) for name, column in self.columns.items()},
            self.row_level.merge(other.row_level) if self.row_level and other.row_level else None,
            {method: part.merge(other.multivariate[method]) for method, part in self.multivariate.items()},
            {feature: _merge_segments(part, other.segments[feature]) for feature, part in self.segments.items()},
        )

    def join(self, labels: "Summary") -> "Summary":
        """Return this summary of features with that of the labels of the same rows."""
        segments = {feature: _join_segments(part, labels.segments[feature]) for feature, part in self.segments.items()}
        return Summary(
            self.rows,
            labels.performance if self.performance is None else self.performance.join(labels.performance),
            {**self.columns, **labels.columns},
            self.row_level,
            self.multivariate,
            segments,
        )


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSummary:
    """A chunk's rows in one segment; `summary` is None where the reference has too few rows to compare with.

    `counts` are the numbers of rows, by column, in each bin or category of the reference.
    """

    rows: int
    summary: Summary | None
    counts: Mapping[str, BinCounts]

    def merge(self, other: "SegmentSummary") -> "SegmentSummary":
        """Merge two parts of a segment."""
        summary = self.summary.merge(other.summary) if self.summary and other.summary else None
        counts = {name: part.merge(other.counts[name]) for name, part in self.counts.items()}
        return SegmentSummary(self.rows + other.rows, summary, counts)

    def join(self, labels: "SegmentSummary") -> "SegmentSummary":
        """Return this summary of features with that of the labels of the same rows."""
        summary = self.summary.join(labels.summary) if self.summary and labels.summary else None
        return SegmentSummary(self.rows, summary, {**self.counts, **labels.counts})


@dataclass(frozen=True, slots=True, eq=False)
class FittedMethods:
    """The fitted states of all methods: of performance, by column, and of all features together."""

    problem: Problem
    performance: Performance
    columns: Mapping[str, ColumnState]
    multivariate: Mapping[Method, MultivariateState]

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit every method of `spec` on the reference's rows, which are in time order."""
        return cls.of(spec, [call(task) for task in cls.tasks(frame, spec)])

    @staticmethod
    def tasks(frame: pd.DataFrame, spec: Spec) -> list[Task]:
        """Return the independent tasks of `fit`, the longest first."""
        return [
            partial(PERFORMANCE_OF[spec.problem].fit, frame, spec),
            *(partial(MULTIVARIATE[method].fit, frame, spec) for method in spec.multivariate_methods),
            *(partial(_fit_column, frame[column.name], column, spec) for column in spec.watched),
        ]

    @classmethod
    def of(cls, spec: Spec, outputs: Sequence[Any]) -> Self:
        """Return the fitted methods from the outputs of `tasks`, which are in the order of the tasks."""
        count = len(spec.multivariate_methods)
        performance, multivariate, columns = outputs[0], outputs[1 : count + 1], outputs[count + 1 :]
        return cls(
            problem=spec.problem,
            performance=performance,
            columns=dict(zip((column.name for column in spec.watched), columns, strict=True)),
            multivariate=dict(zip(spec.multivariate_methods, multivariate, strict=True)),
        )

    def missing(self, spec: Spec) -> tuple[str, ...]:
        """Return the names of what `spec` contains but was not fitted; empty if everything was fitted."""
        multivariate = [method.value for method in spec.multivariate_methods if method not in self.multivariate]
        return (*(name for column in spec.watched for name in self._missing(spec, column)), *multivariate)

    def _missing(self, spec: Spec, column: ColumnSpec) -> tuple[str, ...]:
        """Return the names of what `spec` contains for a column but was not fitted."""
        if column.name not in self.columns:
            return (column.name,)
        fitted = self.columns[column.name]
        drift = [name for name, method in methods_of(spec, column).items() if method.sketch not in fitted.sketches]
        quality = [method for method in quality_methods_of(spec, column) if method not in fitted.quality]
        without_statistics = fitted.statistics is None and statistic_methods.has_statistics(column, spec)
        return (
            *(f"{column.name} drift {method}" for method in drift),
            *(f"{column.name} quality {method}" for method in quality),
            *((f"{column.name} statistics",) if without_statistics else ()),
        )

    def summarize(self, frame: pd.DataFrame, spec: Spec, content: SummaryContent = SummaryContent.ALL) -> Summary:
        """Summarize some or all rows of a chunk. Raises SchemaMismatch for missing columns."""
        require(frame, self._required(spec, content))
        columns = {c.name: self._summarize_column(frame[c.name], c, spec) for c in spec.watched if content.has(c.name)}
        if content is SummaryContent.LABELS:
            return Summary(len(frame), self.performance.summarize_labels(frame, spec), columns, None, {})
        of_all = content is SummaryContent.ALL
        performance = self.performance.summarize if of_all else self.performance.summarize_features
        return Summary(
            len(frame),
            performance(frame, spec),
            columns,
            RowLevelSummary.of(frame, spec),
            {method: self.multivariate[method].summarize(frame) for method in spec.multivariate_methods},
        )

    def _required(self, spec: Spec, content: SummaryContent) -> tuple[str, ...]:
        """Return the columns that a frame must have."""
        if content is SummaryContent.LABELS:
            return spec.outputs
        names = (*self.columns, *spec.outputs, *_further_columns(spec))
        return names if content is SummaryContent.ALL else tuple(name for name in names if name != LABEL)

    def _summarize_column(self, series: "pd.Series[Any]", column: ColumnSpec, spec: Spec) -> ColumnState:
        values, compared = read_values(series, column)
        fitted = self.columns[column.name]
        return ColumnState(
            MissingCounts.of(values),
            {sketch: SKETCHES[sketch].summarize(state, compared) for sketch, state in fitted.sketches.items()},
            {method: QUALITY_MODULES[method].summarize(state, values) for method, state in fitted.quality.items()},
            statistic_methods.summarize(values, spec) if isinstance(values, Numbers) and spec.statistics else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the states as JSON-compatible values."""
        columns = {name: column.to_dict() for name, column in self.columns.items()}
        return {
            "problem": self.problem.value,
            "performance": self.performance.to_dict(),
            "columns": columns,
            "multivariate": {method.value: fitted.to_dict() for method, fitted in self.multivariate.items()},
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        columns = {name: ColumnState.from_dict(column) for name, column in state["columns"].items()}
        problem = Problem(state["problem"])
        multivariate = {
            Method(key): MULTIVARIATE[Method(key)].from_dict(stored) for key, stored in state["multivariate"].items()
        }
        return cls(problem, PERFORMANCE_OF[problem].from_dict(state["performance"]), columns, multivariate)


def _merge_segments(
    left: Mapping[str, SegmentSummary], right: Mapping[str, SegmentSummary]
) -> dict[str, SegmentSummary]:
    """Merge the segments of a feature by value; a value of only one part stays unchanged."""
    both = {value: part.merge(right[value]) for value, part in left.items() if value in right}
    return {**left, **right, **both}


def _join_segments(
    features: Mapping[str, SegmentSummary], labels: Mapping[str, SegmentSummary]
) -> dict[str, SegmentSummary]:
    """Join the segments of a feature by value; both are of the same rows."""
    return {value: part.join(labels[value]) for value, part in features.items()}


def require(frame: pd.DataFrame, names: tuple[str, ...]) -> None:
    """Raise SchemaMismatch if columns are missing from `frame`, and InvalidInput if they are repeated."""
    if not isinstance(frame, pd.DataFrame):
        msg = f"rows must be a pandas.DataFrame, {not_a_frame(frame, 'rows')}"
        raise InvalidInput(msg)
    repeated = frame.columns[frame.columns.duplicated()].intersection([*names])
    if len(repeated):
        msg = f"several columns are called {', '.join(map(repr, repeated))}; rename them, so that each has its own name"
        raise InvalidInput(msg)
    missing = tuple(dict.fromkeys(name for name in names if name not in frame.columns))
    if missing:
        raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))


def _further_columns(spec: Spec) -> tuple[str, ...]:
    """Return the columns that methods read besides watched columns and outputs; duplicates do not require an id."""
    features = spec.features if Quality.DUPLICATES in spec.quality else ()
    for_freshness = (EVENT_TIME,) if Quality.FRESHNESS in spec.quality else ()
    for_classifier = (EVENT_TIME, ID) if Method.DOMAIN_CLASSIFIER in spec.multivariate_methods else ()
    return (*features, *for_freshness, *for_classifier)


def _fit_column(series: "pd.Series[Any]", column: ColumnSpec, spec: Spec) -> ColumnState:
    """Fit the methods of `spec` for one column on the reference's values."""
    values = _read(series, column)
    compared = values.ordered if isinstance(values, Numbers) else values
    sketches = dict.fromkeys(method.sketch for method in methods_of(spec, column).values())
    return ColumnState(
        MissingCounts.of(values),
        {sketch: SKETCHES[sketch].fit(compared) for sketch in sketches},
        {method: module.fit(values) for method, module in quality_methods_of(spec, column).items()},
        statistic_methods.fit(values, spec) if isinstance(values, Numbers) and spec.statistics else None,
    )


def read_values(series: "pd.Series[Any]", column: ColumnSpec) -> tuple[Numbers | Categories, Any]:
    """Return the values of a column, and the same values in the form that sketches of its kind summarize."""
    values = _read(series, column)
    return values, values.values if isinstance(values, Numbers) else values


def _read(series: "pd.Series[Any]", column: ColumnSpec) -> Numbers | Categories:
    return numbers(series) if column.kind is ColumnKind.CONTINUOUS else categories(series)
