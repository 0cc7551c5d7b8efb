"""What each method keeps of a reference, and how a chunk is summarised against it. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from driftline.engine.columns import Categories, Numbers, categories, numbers
from driftline.engine.drift.methods import SKETCHES, STATES, Sketch, methods_of
from driftline.engine.performance.protocol import Performance, PerformanceSummary
from driftline.engine.problems import PERFORMANCE
from driftline.engine.quality import Missing
from driftline.engine.spec import ColumnKind, ColumnSpec, ModelSpec, Problem
from driftline.errors import SchemaMismatch


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """A column of the reference (its states) or of a chunk (its summaries), by sketch, and what is missing."""

    missing: Missing
    sketches: Mapping[Sketch, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """All that results need of a chunk's rows. `merge` of the parts of a chunk is the summary of the whole."""

    rows: int
    performance: PerformanceSummary
    columns: Mapping[str, Column]

    def merge(self, other: "Summary") -> "Summary":
        """Put two parts of a chunk together, both summarised against the same reference."""
        columns = {name: _merged(column, other.columns[name]) for name, column in self.columns.items()}
        return Summary(self.rows + other.rows, self.performance.merge(other.performance), columns)


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """The fitted states of all methods: by column for drift and quality, and those of performance."""

    problem: Problem
    performance: Performance
    columns: Mapping[str, Column]

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: ModelSpec) -> Self:
        """Fit every method of `spec` on the reference's rows, which are in the order of time."""
        return cls(
            problem=spec.problem,
            performance=PERFORMANCE[spec.problem].fit(frame, spec),
            columns={column.name: _fitted(frame[column.name], column, spec) for column in spec.watched},
        )

    def summarise(self, frame: pd.DataFrame, spec: ModelSpec) -> Summary:
        """Summarise some or all rows of a chunk; columns that are not there are a SchemaMismatch."""
        require(frame, (*self.columns, *spec.outputs))
        columns = {c.name: self._summarised(frame[c.name], c) for c in spec.watched}
        return Summary(len(frame), self.performance.summarise(frame, spec), columns)

    def _summarised(self, series: "pd.Series[Any]", column: ColumnSpec) -> Column:
        missing, values = _read(series, column)
        states = self.columns[column.name].sketches
        return Column(missing, {sketch: SKETCHES[sketch].summarise(state, values) for sketch, state in states.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return the states as values that JSON has."""
        columns = {
            name: {"missing": c.missing.to_dict(), "sketches": {k.value: s.to_dict() for k, s in c.sketches.items()}}
            for name, c in self.columns.items()
        }
        return {"problem": self.problem.value, "performance": self.performance.to_dict(), "columns": columns}

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        columns = {
            name: Column(
                Missing.from_dict(c["missing"]),
                {Sketch(k): STATES[Sketch(k)].from_dict(s) for k, s in c["sketches"].items()},
            )
            for name, c in state["columns"].items()
        }
        problem = Problem(state["problem"])
        return cls(problem, PERFORMANCE[problem].from_dict(state["performance"]), columns)


def require(frame: pd.DataFrame, names: tuple[str, ...]) -> None:
    """Raise SchemaMismatch where `frame` lacks some of the columns."""
    missing = tuple(dict.fromkeys(name for name in names if name not in frame.columns))
    if missing:
        raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))


def _fitted(series: "pd.Series[Any]", column: ColumnSpec, spec: ModelSpec) -> Column:
    missing, values = _read(series, column)
    sketches = dict.fromkeys(method.sketch for method in methods_of(spec, column).values())
    return Column(missing, {sketch: SKETCHES[sketch].fit(values) for sketch in sketches})


def _read(series: "pd.Series[Any]", column: ColumnSpec) -> tuple[Missing, Any]:
    """Return what is missing of a column, and its values as the sketches of its kind take them."""
    read: Numbers | Categories = numbers(series) if column.kind is ColumnKind.CONTINUOUS else categories(series)
    if isinstance(read, Numbers):
        return Missing(len(series), read.missing, read.infinite), read.values
    return Missing(len(series), read.missing), read


def _merged(one: Column, other: Column) -> Column:
    sketches = {key: SKETCHES[key].merge(part, other.sketches[key]) for key, part in one.sketches.items()}
    return Column(one.missing.merge(other.missing), sketches)
