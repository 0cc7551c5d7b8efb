"""Localizes drift: the bins, categories or segments that the distance of a column comes from. No I/O here.

The squared Jensen-Shannon distance is a sum over bins i of c(i) = (p ln(p/m) + q ln(q/m)) / (2 ln 2), for the share p
of the reference's rows, q of the chunk's and m = (p + q) / 2. No term is negative, so c(i) / sum(c) is the share of
the drift in bin i.

A bin's difference q - p is the sum over segments s of d(s, i) = (the chunk's rows of s in bin i) / (the chunk's rows) -
(the reference's rows of s in bin i) / (the reference's rows). Each bin's term is divided among the segments in
proportion: segment s receives the sum over i of c(i) * d(s, i) / (q(i) - p(i)), over sum(c). So a segment contributes
when its rows changed their values, and when there are more or fewer of them. A negative contribution pulls the column
back towards the reference. Rows in no segment of the reference are one more segment.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import rel_entr

from driftline.engine.catalogue import ColumnKind
from driftline.engine.computation.fitted_methods import Summary
from driftline.engine.drift.methods import Sketch
from driftline.engine.drift.sketches.aligned_counts import State, counts
from driftline.engine.drift.sketches.frequencies import Frequencies
from driftline.engine.drift.sketches.histogram import Histogram
from driftline.engine.evaluation.reference import FittedReference
from driftline.engine.frames.columns import FloatArray, IntArray
from driftline.engine.results import Method
from driftline.engine.spec import Spec
from driftline.errors import InvalidInput

OTHER_CATEGORIES = "other"
"""Values beyond the reference's bins, or categories that it lacks."""
UNSEGMENTED = "other rows"
"""Rows without a value of the segments' feature, or with one that the reference lacks."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """The contribution of one bin, category or segment to a column's drift.

    `share` is its part of the squared Jensen-Shannon distance; all parts add up to 1. `reference` and `chunk` are the
    shares of each side's values that are in it. A bin goes from `lower` to `upper`, in the column's unit (the upper
    edge belongs to the last bin alone); both are None for anything else.
    """

    part: str
    share: float
    reference: float
    chunk: float
    lower: float | None = None
    upper: float | None = None


def localize(
    fitted: FittedReference, spec: Spec, summary: Summary, column: str, method: Method = Method.JENSEN_SHANNON
) -> tuple[Contribution, ...]:
    """Return the bins or categories from which the drift of `column` comes, the largest share first.

    `summary` is that of all rows of the chunk. Empty if the two sides do not differ, or one of them has no values.
    Raises InvalidInput for a column that is not watched, and for a method other than Jensen-Shannon.
    """
    sides = _compared_sides(fitted, spec, summary, column, method)
    terms = sides.terms()
    if terms is None:
        return ()
    parts = zip(_parts(sides.state), terms, *sides.shares, strict=True)
    return _sorted(
        Contribution(name, float(term), float(p), float(q), lower, upper) for (name, lower, upper), term, p, q in parts
    )


def localize_by_segment(
    fitted: FittedReference,
    spec: Spec,
    summary: Summary,
    column: str,
    feature: str,
    method: Method = Method.JENSEN_SHANNON,
) -> tuple[Contribution, ...]:
    """Return the values of `feature`, one of the spec's segments, from whose rows the drift of `column` comes.

    The largest share comes first, as in `localize`; shares add up to 1 and may be negative. Raises InvalidInput for a
    feature that is not among the spec's segments.
    """
    sides = _compared_sides(fitted, spec, summary, column, method)
    if feature not in spec.segments or feature not in fitted.segments:
        msg = f"{feature} is not among the segments; the spec's segments are {', '.join(spec.segments) or 'none'}"
        raise InvalidInput(msg)
    terms = sides.terms()
    if terms is None:
        return ()
    pairs = _rows_of_segments(fitted, summary, column, feature, sides)
    return _sorted(_contributions(pairs, sides, terms))


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """The rows of the reference and of the chunk by bin; last come all rows in no bin."""

    state: State
    reference: IntArray
    chunk: IntArray

    @property
    def shares(self) -> tuple[FloatArray, FloatArray]:
        return self.reference / self.reference.sum(), self.chunk / self.chunk.sum()

    def terms(self) -> FloatArray | None:
        """Return each bin's part of the divergence, which add up to 1; None without a divergence."""
        if not self.reference.sum() or not self.chunk.sum():
            return None
        p, q = self.shares
        middle = (p + q) / 2
        terms = np.where(p == q, 0.0, np.maximum(rel_entr(p, middle) + rel_entr(q, middle), 0.0))
        total = float(terms.sum())
        return terms / total if total > 0 else None


def _compared_sides(fitted: FittedReference, spec: Spec, summary: Summary, column: str, method: Method) -> _Sides:
    """Return both sides of a column; raises InvalidInput if its drift cannot be localized."""
    watched = {watched_column.name: watched_column.kind for watched_column in spec.watched}
    if method is not Method.JENSEN_SHANNON:
        msg = f"drift can be localized for {Method.JENSEN_SHANNON} only, not for {method}"
        raise InvalidInput(msg)
    if column not in watched or column not in fitted.methods.columns:
        msg = f"column {column!r} is not watched; watched are {', '.join(watched)}"
        raise InvalidInput(msg)
    sketch = Sketch.HISTOGRAM if watched[column] is ColumnKind.CONTINUOUS else Sketch.FREQUENCIES
    state = fitted.methods.columns[column].sketches.get(sketch)
    if state is None:
        msg = f"the reference was not fitted for {method} of {column}; add it to the spec's methods and fit it again"
        raise InvalidInput(msg)
    return _Sides(state, *counts(state, summary.columns[column].sketches[sketch]))


def _parts(state: State) -> Iterator[tuple[str, float | None, float | None]]:
    """Yield the name and the edges of each bin or category; `OTHER_CATEGORIES` comes last."""
    if isinstance(state, Frequencies):
        yield from ((name, None, None) for name in state.counts)
    elif isinstance(state, Histogram):
        edges = state.edges.tolist()
        ends = [")"] * (len(edges) - 2) + ["]"]
        for lower, upper, end in zip(edges, edges[1:], ends, strict=False):
            yield f"[{lower:.6g}, {upper:.6g}{end}", lower, upper
    yield OTHER_CATEGORIES, None, None


def _rows_of_segments(
    fitted: FittedReference, summary: Summary, column: str, feature: str, sides: _Sides
) -> dict[str, tuple[IntArray, IntArray]]:
    """Return the rows of both sides by bin, for each segment and for the rows outside all segments."""
    parts = summary.segments[feature]
    pairs = {
        f"{feature}={value}": (segment.counts[column].counts, parts[value].counts[column].counts)
        for value, segment in fitted.segments[feature].items()
    }
    reference, chunk = sides.reference.copy(), sides.chunk.copy()
    for segment_reference, segment_chunk in pairs.values():
        reference -= segment_reference
        chunk -= segment_chunk
    return {**pairs, f"{feature}: {UNSEGMENTED}": (reference, chunk)}


def _contributions(
    pairs: dict[str, tuple[IntArray, IntArray]], sides: _Sides, terms: FloatArray
) -> Iterator[Contribution]:
    p, q = sides.shares
    weights = np.divide(terms, q - p, out=np.zeros_like(terms), where=p != q)
    for name, (reference, chunk) in pairs.items():
        segment_p, segment_q = reference / sides.reference.sum(), chunk / sides.chunk.sum()
        share = float(np.sum(weights * (segment_q - segment_p)))
        yield Contribution(name, share, float(segment_p.sum()), float(segment_q.sum()))


def _sorted(contributions: Iterator[Contribution]) -> tuple[Contribution, ...]:
    """Sort contributions by share, the largest first; equal ones keep their order."""
    return tuple(sorted(contributions, key=lambda contribution: -contribution.share))
