"""Which drift method compares what: the table of all methods and of what they are computed from. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from types import ModuleType
from typing import Any

from driftline.engine.catalogue import ColumnKind
from driftline.engine.drift import chi2, hellinger, jensen_shannon, kolmogorov_smirnov, l_infinity, psi, wasserstein
from driftline.engine.drift.sketches import deciles, distribution, frequencies, histogram, whole
from driftline.engine.outcome import Outcome
from driftline.engine.results import Method
from driftline.engine.spec import ColumnSpec, Spec


class Sketch(StrEnum):
    """What a column is reduced to, in the reference and in a chunk; methods share it."""

    DISTRIBUTION = "distribution"
    WHOLE = "whole"
    DECILES = "deciles"
    HISTOGRAM = "histogram"
    FREQUENCIES = "frequencies"


@dataclass(frozen=True, slots=True)
class DriftMethod:
    """The sketch that a method compares, and how it does."""

    sketch: Sketch
    finish: Callable[[Any, Any], Outcome]


SKETCHES: dict[Sketch, ModuleType] = {
    Sketch.DISTRIBUTION: distribution,
    Sketch.WHOLE: whole,
    Sketch.DECILES: deciles,
    Sketch.HISTOGRAM: histogram,
    Sketch.FREQUENCIES: frequencies,
}
"""The module with `fit`, `summarize` and `merge` of each sketch."""

STATES: dict[Sketch, Any] = {
    Sketch.DISTRIBUTION: distribution.Distribution,
    Sketch.WHOLE: distribution.Distribution,
    Sketch.DECILES: deciles.Deciles,
    Sketch.HISTOGRAM: histogram.Histogram,
    Sketch.FREQUENCIES: frequencies.Frequencies,
}
"""The class of what each sketch keeps of the reference."""

METHODS: dict[tuple[ColumnKind, Method], DriftMethod] = {
    (ColumnKind.CONTINUOUS, Method.JENSEN_SHANNON): DriftMethod(Sketch.HISTOGRAM, jensen_shannon.finish),
    (ColumnKind.CONTINUOUS, Method.KOLMOGOROV_SMIRNOV): DriftMethod(Sketch.DISTRIBUTION, kolmogorov_smirnov.finish),
    (ColumnKind.CONTINUOUS, Method.WASSERSTEIN): DriftMethod(Sketch.DISTRIBUTION, wasserstein.finish),
    (ColumnKind.CONTINUOUS, Method.HELLINGER): DriftMethod(Sketch.HISTOGRAM, hellinger.finish),
    (ColumnKind.CONTINUOUS, Method.PSI): DriftMethod(Sketch.DECILES, psi.finish),
    (ColumnKind.CATEGORICAL, Method.JENSEN_SHANNON): DriftMethod(Sketch.FREQUENCIES, jensen_shannon.finish),
    (ColumnKind.CATEGORICAL, Method.CHI2): DriftMethod(Sketch.FREQUENCIES, chi2.finish),
    (ColumnKind.CATEGORICAL, Method.HELLINGER): DriftMethod(Sketch.FREQUENCIES, hellinger.finish),
    (ColumnKind.CATEGORICAL, Method.L_INFINITY): DriftMethod(Sketch.FREQUENCIES, l_infinity.finish),
    (ColumnKind.CATEGORICAL, Method.PSI): DriftMethod(Sketch.FREQUENCIES, psi.finish),
}


def methods_of(spec: Spec, column: ColumnSpec) -> dict[Method, DriftMethod]:
    """Return the spec's methods for `column`; those that its kind has not are left out."""
    wanted = spec.continuous_methods if column.kind is ColumnKind.CONTINUOUS else spec.categorical_methods
    return {method: _method(spec, column, method) for method in wanted if (column.kind, method) in METHODS}


def _method(spec: Spec, column: ColumnSpec, method: Method) -> DriftMethod:
    usual = METHODS[column.kind, method]
    exact = spec.exact_distances and usual.sketch is Sketch.DISTRIBUTION
    return replace(usual, sketch=Sketch.WHOLE) if exact else usual
