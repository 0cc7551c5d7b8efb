"""What each method keeps of a reference, and how a chunk is summarized against it. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import pandas as pd

from driftline.engine.catalogue import ColumnKind, Problem
from driftline.engine.columns import Categories, Numbers, categories, numbers
from driftline.engine.drift.methods import SKETCHES, STATES, Sketch, methods_of
from driftline.engine.drift.sketches.bin_counts import BinCounts
from driftline.engine.multivariate.methods import MULTIVARIATE, MultivariateState
from driftline.engine.performance.protocol import Performance, PerformanceSummary
from driftline.engine.problems import PERFORMANCE
from driftline.engine.quality import duplicates, freshness
from driftline.engine.quality.duplicates import Distinct
from driftline.engine.quality.freshness import Newest
from driftline.engine.quality.methods import MODULES as FAULTS
from driftline.engine.quality.methods import STATES as FAULT_STATES
from driftline.engine.quality.methods import faults_of
from driftline.engine.quality.missing_values import Missing
from driftline.engine.results import EVENT_TIME, ID, Method, Quality
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.statistics import methods
from driftline.engine.statistics.spread import Spread
from driftline.engine.tasks import Task, call
from driftline.errors import SchemaMismatch


@dataclass(frozen=True, slots=True, eq=False)
class ColumnState:
    """A column of the reference (its states) or of a chunk (its summaries), by what they are for."""

    missing: Missing
    sketches: Mapping[Sketch, Any]
    faults: Mapping[Quality, Any] = field(default_factory=dict)
    statistics: Any = None

    def merge(self, other: "ColumnState") -> "ColumnState":
        """Put the summaries of two parts of a chunk together."""
        sketches = {key: SKETCHES[key].merge(part, other.sketches[key]) for key, part in self.sketches.items()}
        faults = {key: part.merge(other.faults[key]) for key, part in self.faults.items()}
        statistics = self.statistics.merge(other.statistics) if self.statistics else None
        return ColumnState(self.missing.merge(other.missing), sketches, faults, statistics)

    def to_dict(self) -> dict[str, Any]:
        """Return the states as values that JSON has."""
        return {
            "missing": self.missing.to_dict(),
            "sketches": {key.value: state.to_dict() for key, state in self.sketches.items()},
            "faults": {key.value: state.to_dict() for key, state in self.faults.items()},
            "statistics": self.statistics.to_dict() if self.statistics else None,
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(
            Missing.from_dict(state["missing"]),
            {Sketch(key): STATES[Sketch(key)].from_dict(own) for key, own in state["sketches"].items()},
            {Quality(key): FAULT_STATES[Quality(key)].from_dict(own) for key, own in state.get("faults", {}).items()},
            Spread.from_dict(state["statistics"]) if state.get("statistics") else None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class RowLevelSummary:
    """What faults of a chunk as a whole need of its rows; None where the spec does not ask."""

    duplicates: Distinct | None
    freshness: Newest | None

    @classmethod
    def of(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Summarize some or all rows of a chunk."""
        return cls(
            duplicates.summarize(frame, spec) if Quality.DUPLICATES in spec.quality else None,
            freshness.summarize(frame) if Quality.FRESHNESS in spec.quality else None,
        )

    def merge(self, other: "RowLevelSummary") -> "RowLevelSummary":
        """Put two parts of a chunk together."""
        return RowLevelSummary(
            self.duplicates.merge(other.duplicates) if self.duplicates and other.duplicates else None,
            self.freshness.merge(other.freshness) if self.freshness and other.freshness else None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """All that results need of a chunk's rows. `merge` of the parts of a chunk is the summary of the whole."""

    rows: int
    performance: PerformanceSummary
    columns: Mapping[str, ColumnState]
    whole: RowLevelSummary
    multivariate: Mapping[Method, Any]
    segments: "Mapping[str, Mapping[str, SegmentSummary]]" = field(default_factory=dict)

    def merge(self, other: "Summary") -> "Summary":
        """Put two parts of a chunk together, both summarized against the same reference."""
        return Summary(
            self.rows + other.rows,
            self.performance.merge(other.performance),
            {name: column.merge(other.columns[name]) for name, column in self.columns.items()},
            self.whole.merge(other.whole),
            {method: part.merge(other.multivariate[method]) for method, part in self.multivariate.items()},
            {feature: _merged(own, other.segments[feature]) for feature, own in self.segments.items()},
        )


@dataclass(frozen=True, slots=True, eq=False)
class SegmentSummary:
    """A chunk's rows in one segment: how many, and what their results need; None where they cannot be compared.

    `counts` has for each column how the rows spread over the bins of the whole reference.
    """

    rows: int
    summary: Summary | None
    counts: Mapping[str, BinCounts]

    def merge(self, other: "SegmentSummary") -> "SegmentSummary":
        """Put two parts of a segment together."""
        summary = self.summary.merge(other.summary) if self.summary and other.summary else None
        counts = {name: own.merge(other.counts[name]) for name, own in self.counts.items()}
        return SegmentSummary(self.rows + other.rows, summary, counts)


@dataclass(frozen=True, slots=True, eq=False)
class FittedMethods:
    """The fitted states of all methods: of performance, by column, and of all features together."""

    problem: Problem
    performance: Performance
    columns: Mapping[str, ColumnState]
    multivariate: Mapping[Method, MultivariateState]

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: Spec) -> Self:
        """Fit every method of `spec` on the reference's rows, which are in the order of time."""
        return cls.of(spec, [call(task) for task in cls.tasks(frame, spec)])

    @staticmethod
    def tasks(frame: pd.DataFrame, spec: Spec) -> list[Task]:
        """Return the tasks of work that `fit` does, none of which needs another: the longest first."""
        return [
            partial(PERFORMANCE[spec.problem].fit, frame, spec),
            *(partial(MULTIVARIATE[method].fit, frame, spec) for method in spec.multivariate_methods),
            *(partial(_fitted, frame[column.name], column, spec) for column in spec.watched),
        ]

    @classmethod
    def of(cls, spec: Spec, made: Sequence[Any]) -> Self:
        """Put together what the `tasks` made, in their order."""
        together = len(spec.multivariate_methods)
        performance, multivariate, columns = made[0], made[1 : together + 1], made[together + 1 :]
        return cls(
            problem=spec.problem,
            performance=performance,
            columns=dict(zip((column.name for column in spec.watched), columns, strict=True)),
            multivariate=dict(zip(spec.multivariate_methods, multivariate, strict=True)),
        )

    def lacking(self, spec: Spec) -> tuple[str, ...]:
        """Name what `spec` asks for and these states were not fitted for; none where all is there."""
        together = [method.value for method in spec.multivariate_methods if method not in self.multivariate]
        return (*(name for column in spec.watched for name in self._lacking(spec, column)), *together)

    def _lacking(self, spec: Spec, column: ColumnSpec) -> tuple[str, ...]:
        if column.name not in self.columns:
            return (column.name,)
        own = self.columns[column.name]
        drift = [m for m, how in methods_of(spec, column).items() if how.sketch not in own.sketches]
        faults = [fault for fault in faults_of(spec, column) if fault not in own.faults]
        described = own.statistics is not None or not methods.has_statistics(column, spec)
        return (
            *(f"{column.name} drift {method}" for method in drift),
            *(f"{column.name} quality {fault}" for fault in faults),
            *(() if described else (f"{column.name} statistics",)),
        )

    def summarize(self, frame: pd.DataFrame, spec: Spec) -> Summary:
        """Summarize some or all rows of a chunk; columns that are not there are a SchemaMismatch."""
        require(frame, (*self.columns, *spec.outputs, *_needed(spec)))
        columns = {c.name: self._summarized(frame[c.name], c, spec) for c in spec.watched}
        return Summary(
            len(frame),
            self.performance.summarize(frame, spec),
            columns,
            RowLevelSummary.of(frame, spec),
            {method: self.multivariate[method].summarize(frame) for method in spec.multivariate_methods},
        )

    def _summarized(self, series: "pd.Series[Any]", column: ColumnSpec, spec: Spec) -> ColumnState:
        read, values = read_values(series, column)
        own = self.columns[column.name]
        return ColumnState(
            Missing.of(read),
            {sketch: SKETCHES[sketch].summarize(state, values) for sketch, state in own.sketches.items()},
            {fault: FAULTS[fault].summarize(state, read) for fault, state in own.faults.items()},
            methods.summarize(read, spec) if isinstance(read, Numbers) and spec.statistics else None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the states as values that JSON has."""
        columns = {name: column.to_dict() for name, column in self.columns.items()}
        return {
            "problem": self.problem.value,
            "performance": self.performance.to_dict(),
            "columns": columns,
            "multivariate": {method.value: own.to_dict() for method, own in self.multivariate.items()},
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        columns = {name: ColumnState.from_dict(column) for name, column in state["columns"].items()}
        problem = Problem(state["problem"])
        multivariate = {
            Method(key): MULTIVARIATE[Method(key)].from_dict(own) for key, own in state["multivariate"].items()
        }
        return cls(problem, PERFORMANCE[problem].from_dict(state["performance"]), columns, multivariate)


def _merged(one: Mapping[str, SegmentSummary], other: Mapping[str, SegmentSummary]) -> dict[str, SegmentSummary]:
    """Put segments together by value; of a value that only one part has there is nothing to add."""
    both = {value: own.merge(other[value]) for value, own in one.items() if value in other}
    return {**one, **other, **both}


def require(frame: pd.DataFrame, names: tuple[str, ...]) -> None:
    """Raise SchemaMismatch where `frame` lacks some of the columns."""
    missing = tuple(dict.fromkeys(name for name in names if name not in frame.columns))
    if missing:
        raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))


def _needed(spec: Spec) -> tuple[str, ...]:
    """Columns beside those of the model that the spec's methods read; duplicates do without an id."""
    features = spec.features if Quality.DUPLICATES in spec.quality else ()
    fresh = (EVENT_TIME,) if Quality.FRESHNESS in spec.quality else ()
    apart = (EVENT_TIME, ID) if Method.DOMAIN_CLASSIFIER in spec.multivariate_methods else ()
    return (*features, *fresh, *apart)


def _fitted(series: "pd.Series[Any]", column: ColumnSpec, spec: Spec) -> ColumnState:
    read = _read(series, column)
    values = read.ordered if isinstance(read, Numbers) else read
    sketches = dict.fromkeys(method.sketch for method in methods_of(spec, column).values())
    return ColumnState(
        Missing.of(read),
        {sketch: SKETCHES[sketch].fit(values) for sketch in sketches},
        {fault: module.fit(read) for fault, module in faults_of(spec, column).items()},
        methods.fit(read, spec) if isinstance(read, Numbers) and spec.statistics else None,
    )


def read_values(series: "pd.Series[Any]", column: ColumnSpec) -> tuple[Numbers | Categories, Any]:
    """Return a column as it was read, and its values as the sketches of its kind summarize them."""
    read = _read(series, column)
    return read, read.values if isinstance(read, Numbers) else read


def _read(series: "pd.Series[Any]", column: ColumnSpec) -> Numbers | Categories:
    return numbers(series) if column.kind is ColumnKind.CONTINUOUS else categories(series)
