"""Which drift method compares what: the table of all methods and of what they are computed from. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import Any

from driftline.engine.drift import (
    chi2,
    distribution,
    frequencies,
    histogram,
    jensen_shannon,
    kolmogorov_smirnov,
    wasserstein,
)
from driftline.engine.outcome import Outcome
from driftline.engine.results import Method
from driftline.engine.spec import ColumnKind, ColumnSpec, ModelSpec


class Sketch(StrEnum):
    """What a column is reduced to, in the reference and in a chunk; methods share it."""

    DISTRIBUTION = "distribution"
    HISTOGRAM = "histogram"
    FREQUENCIES = "frequencies"


@dataclass(frozen=True, slots=True)
class DriftMethod:
    """The sketch that a method compares, and how it does."""

    sketch: Sketch
    finish: Callable[[Any, Any], Outcome]


SKETCHES: dict[Sketch, ModuleType] = {
    Sketch.DISTRIBUTION: distribution,
    Sketch.HISTOGRAM: histogram,
    Sketch.FREQUENCIES: frequencies,
}
"""The module with `fit`, `summarise` and `merge` of each sketch."""

STATES: dict[Sketch, Any] = {
    Sketch.DISTRIBUTION: distribution.Distribution,
    Sketch.HISTOGRAM: histogram.Histogram,
    Sketch.FREQUENCIES: frequencies.Frequencies,
}
"""The class of what each sketch keeps of the reference."""

METHODS: dict[tuple[ColumnKind, Method], DriftMethod] = {
    (ColumnKind.CONTINUOUS, Method.JENSEN_SHANNON): DriftMethod(Sketch.HISTOGRAM, jensen_shannon.finish),
    (ColumnKind.CONTINUOUS, Method.KOLMOGOROV_SMIRNOV): DriftMethod(Sketch.DISTRIBUTION, kolmogorov_smirnov.finish),
    (ColumnKind.CONTINUOUS, Method.WASSERSTEIN): DriftMethod(Sketch.DISTRIBUTION, wasserstein.finish),
    (ColumnKind.CATEGORICAL, Method.JENSEN_SHANNON): DriftMethod(Sketch.FREQUENCIES, jensen_shannon.finish),
    (ColumnKind.CATEGORICAL, Method.CHI2): DriftMethod(Sketch.FREQUENCIES, chi2.finish),
}


def methods_of(spec: ModelSpec, column: ColumnSpec) -> dict[Method, DriftMethod]:
    """Return the spec's methods for `column`; those that its kind has not are left out."""
    wanted = spec.continuous_methods if column.kind is ColumnKind.CONTINUOUS else spec.categorical_methods
    return {method: METHODS[column.kind, method] for method in wanted if (column.kind, method) in METHODS}
