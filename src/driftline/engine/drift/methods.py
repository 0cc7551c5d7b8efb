"""The drift methods of a column and the sketches that they compare: one entry for each. No I/O here."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from driftline.engine.catalogue import ColumnKind
from driftline.engine.drift import chi2, hellinger, jensen_shannon, kolmogorov_smirnov, l_infinity, psi, wasserstein
from driftline.engine.drift.sketches import deciles, distribution, frequencies, histogram
from driftline.engine.outcome import Outcome
from driftline.engine.results import Method
from driftline.engine.spec import ColumnSpec, Spec


class Sketch(StrEnum):
    """A mergeable summary of a column, of the reference and of a chunk, which several methods may share."""

    DISTRIBUTION = "distribution"
    EXACT_DISTRIBUTION = "exact_distribution"
    DECILES = "deciles"
    HISTOGRAM = "histogram"
    FREQUENCIES = "frequencies"


@dataclass(frozen=True, slots=True)
class SketchFunctions:
    """How a sketch is made: `fit` on the reference, `summarize` the rows of a chunk against it, `merge` two parts.

    `state` is the class of what `fit` returns, with `to_dict` and `from_dict`.
    """

    state: Any
    fit: Callable[[Any], Any]
    summarize: Callable[[Any, Any], Any]
    merge: Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class DriftMethod:
    """The sketch that a method compares, and the function that compares the reference's with the chunk's."""

    sketch: Sketch
    finish: Callable[[Any, Any], Outcome]


SKETCHES: dict[Sketch, SketchFunctions] = {
    Sketch.DISTRIBUTION: SketchFunctions(
        distribution.Distribution, distribution.fit, distribution.summarize, distribution.merge
    ),
    Sketch.EXACT_DISTRIBUTION: SketchFunctions(
        distribution.Distribution, distribution.fit_exact, distribution.summarize, distribution.merge
    ),
    Sketch.DECILES: SketchFunctions(deciles.Deciles, deciles.fit, deciles.summarize, histogram.merge),
    Sketch.HISTOGRAM: SketchFunctions(histogram.Histogram, histogram.fit, histogram.summarize, histogram.merge),
    Sketch.FREQUENCIES: SketchFunctions(
        frequencies.Frequencies, frequencies.fit, frequencies.summarize, frequencies.merge
    ),
}
"""How each sketch is made."""

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
    """Return the spec's methods for the kind of `column`."""
    names = spec.continuous_methods if column.kind is ColumnKind.CONTINUOUS else spec.categorical_methods
    return {name: _method(spec, column, name) for name in names if (column.kind, name) in METHODS}


def _method(spec: Spec, column: ColumnSpec, name: Method) -> DriftMethod:
    method = METHODS[column.kind, name]
    exact = spec.exact_distances and method.sketch is Sketch.DISTRIBUTION
    return replace(method, sketch=Sketch.EXACT_DISTRIBUTION) if exact else method
