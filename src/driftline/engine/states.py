"""What each method keeps of a reference, and how a chunk is summarised against it. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.columns import Categories, Numbers, as_floats, categories, numbers
from driftline.engine.drift.methods import SKETCHES, STATES, Sketch, methods_of
from driftline.engine.performance import cbpe, sampling
from driftline.engine.performance.cbpe import Cbpe
from driftline.engine.performance.sampling import SamplingErrors
from driftline.engine.performance.scores import Scores
from driftline.engine.quality import Missing
from driftline.engine.results import LABEL, PREDICTION, SCORE
from driftline.engine.spec import ColumnKind, ColumnSpec, ModelSpec
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
    scores: Scores
    columns: Mapping[str, Column]

    def merge(self, other: "Summary") -> "Summary":
        """Put two parts of a chunk together, both summarised against the same reference."""
        columns = {name: _merged(column, other.columns[name]) for name, column in self.columns.items()}
        return Summary(self.rows + other.rows, self.scores.merge(other.scores), columns)


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """The fitted states of all methods: by column for drift and quality, and those of performance."""

    columns: Mapping[str, Column]
    sampling: SamplingErrors
    cbpe: Cbpe

    @classmethod
    def fit(cls, frame: pd.DataFrame, spec: ModelSpec) -> Self:
        """Fit every method of `spec` on the reference's rows, which are in the order of time."""
        scores, predictions, labels = (as_floats(frame[name]) for name in (SCORE, PREDICTION, LABEL))
        known = np.isfinite(scores) & np.isfinite(labels)
        return cls(
            columns={column.name: _fitted(frame[column.name], column, spec) for column in spec.watched},
            sampling=sampling.fit(scores, predictions, labels),
            cbpe=cbpe.fit(scores[known], labels[known].astype(np.int64)),
        )

    def summarise(self, frame: pd.DataFrame, spec: ModelSpec) -> Summary:
        """Summarise some or all rows of a chunk; columns that are not there are a SchemaMismatch."""
        require(frame, (*self.columns, SCORE, PREDICTION, LABEL))
        columns = {c.name: self._summarised(frame[c.name], c) for c in spec.watched}
        return Summary(len(frame), Scores.of(frame), columns)

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
        return {"columns": columns, "sampling": self.sampling.to_dict(), "cbpe": self.cbpe.to_dict()}

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
        return cls(columns, SamplingErrors.from_dict(state["sampling"]), Cbpe.from_dict(state["cbpe"]))


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
