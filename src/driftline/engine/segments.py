"""Segments: the rows that share a value of a categorical feature, with results of their own. No I/O here.

Each segment is held against the same segment of the reference: its own states and its own bounds. Rows without a value
of the feature are in no segment of it. Methods that look at all features together are not computed by segment.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.chunks import Chunk
from driftline.engine.columns import coded
from driftline.engine.drift.methods import SKETCHES, Sketch
from driftline.engine.drift.sketches.bin_counts import BinCounts
from driftline.engine.fitted_methods import FittedMethods, SegmentSummary, read_values
from driftline.engine.outcome import too_few
from driftline.engine.outcomes import Key
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.tasks import Map, call
from driftline.engine.thresholds.limits import Limit, limits_from_list, limits_of, limits_to_list
from driftline.errors import InvalidInput

MOST_SEGMENTS = 50
"""How many values a feature may have in the reference to be segmented by."""
COMPARED = (Sketch.HISTOGRAM, Sketch.FREQUENCIES)
"""The sketches whose bins or categories say where a column drifted."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedSegment:
    """What is kept of the reference's rows in one segment.

    `states` is None where they are fewer than the spec's minimum; then there are no limits either. `counts` has for
    each watched column how these rows spread over the bins of the whole reference.
    """

    rows: int
    states: FittedMethods | None
    limits: Mapping[Key, Limit]
    counts: Mapping[str, BinCounts]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as values that JSON has."""
        return {
            "rows": self.rows,
            "states": self.states.to_dict() if self.states else None,
            "limits": limits_to_list(self.limits),
            "counts": {name: counts.to_list() for name, counts in self.counts.items()},
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return what `to_dict` was made from."""
        return cls(
            stored["rows"],
            FittedMethods.from_dict(stored["states"]) if stored["states"] else None,
            limits_from_list(stored["limits"]),
            {name: BinCounts.from_list(counts) for name, counts in stored["counts"].items()},
        )


Fitted = Mapping[str, Mapping[str, FittedSegment]]
"""Segments of the reference, by feature and value."""
Summaries = Mapping[str, Mapping[str, SegmentSummary]]
"""Segments of a chunk, by feature and value."""


def by_value(frame: pd.DataFrame, feature: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each value of `feature` in `frame`, as text and in alphabetical order, with its rows; none is left out."""
    places, texts = coded(frame[feature])
    values = sorted({texts[place] for place in np.unique(places[places >= 0]).tolist()})
    numbers = {value: number for number, value in enumerate(values)}
    known = np.array([*(numbers.get(text, -1) for text in texts), -1], dtype=np.int64)[places]
    for number, value in enumerate(values):
        yield value, frame.iloc[np.flatnonzero(known == number)]


def fit_segments(
    ordered: pd.DataFrame, spec: Spec, whole: FittedMethods, chunks: Sequence[tuple[Chunk, pd.DataFrame]], mapper: Map
) -> dict[str, dict[str, FittedSegment]]:
    """Fit every segment of the reference; `chunks` are its chunks, `whole` the states of all its rows.

    A feature with more than 50 values in the reference is an InvalidInput.
    """
    return {feature: _fit_feature(feature, ordered, spec, whole, chunks, mapper) for feature in spec.segments}


def summarize_segments(fitted: Fitted, whole: FittedMethods, frame: pd.DataFrame, spec: Spec) -> Summaries:
    """Summarize some or all rows of a chunk by segment; of values that the reference has not only rows are counted."""
    return {feature: _summarize_feature(fitted[feature], feature, whole, frame, spec) for feature in spec.segments}


def new_values(fitted: Mapping[str, FittedSegment], parts: Mapping[str, SegmentSummary]) -> list[str]:
    """Name the values that a chunk has and the reference has not: the 50 most frequent, in that order."""
    new = [value for value in parts if value not in fitted]
    return sorted(new, key=lambda value: (-parts[value].rows, value))[:MOST_SEGMENTS]


def within(spec: Spec) -> Spec:
    """Return the spec of what is computed in each segment."""
    return spec.model_copy(update={"multivariate_methods": (), "segments": ()})


def _fit_feature(
    feature: str,
    ordered: pd.DataFrame,
    spec: Spec,
    whole: FittedMethods,
    chunks: Sequence[tuple[Chunk, pd.DataFrame]],
    mapper: Map,
) -> dict[str, FittedSegment]:
    parts = dict(by_value(ordered, feature))
    if len(parts) > MOST_SEGMENTS:
        msg = (
            f"{feature} has {len(parts)} values in the reference, more than the {MOST_SEGMENTS} that results can be "
            "given apart for; segment by a feature with fewer values, or group its values first"
        )
        raise InvalidInput(msg)
    cut = [(chunk, dict(by_value(rows, feature))) for chunk, rows in chunks]
    own = {value: [(chunk, rows[value]) for chunk, rows in cut if value in rows] for value in parts}
    fitted = mapper(call, [partial(_fit, rows, spec, whole, own[value]) for value, rows in parts.items()])
    return dict(zip(parts, fitted, strict=True))


def _fit(
    rows: pd.DataFrame, spec: Spec, whole: FittedMethods, chunks: Sequence[tuple[Chunk, pd.DataFrame]]
) -> FittedSegment:
    counts = _counts(rows, spec, whole)
    if too_few(len(rows), spec.minimum_rows, "rows"):
        return FittedSegment(len(rows), None, {}, counts)
    states = FittedMethods.fit(rows, within(spec))
    return FittedSegment(len(rows), states, limits_of(states, within(spec), chunks), counts)


def _summarize_feature(
    fitted: Mapping[str, FittedSegment], feature: str, whole: FittedMethods, frame: pd.DataFrame, spec: Spec
) -> dict[str, SegmentSummary]:
    parts = dict.fromkeys(fitted, frame.iloc[:0]) | dict(by_value(frame, feature))
    return {value: _summarize(fitted.get(value), whole, rows, spec) for value, rows in parts.items()}


def _summarize(segment: FittedSegment | None, whole: FittedMethods, rows: pd.DataFrame, spec: Spec) -> SegmentSummary:
    if segment is None:
        return SegmentSummary(len(rows), None, {})
    summary = segment.states.summarize(rows, within(spec)) if segment.states else None
    return SegmentSummary(len(rows), summary, _counts(rows, spec, whole))


def _counts(rows: pd.DataFrame, spec: Spec, whole: FittedMethods) -> dict[str, BinCounts]:
    found = {column.name: _counts_of(rows, column, whole) for column in spec.watched}
    return {name: counts for name, counts in found.items() if counts is not None}


def _counts_of(rows: pd.DataFrame, column: ColumnSpec, whole: FittedMethods) -> BinCounts | None:
    for sketch, state in whole.columns[column.name].sketches.items():
        if sketch in COMPARED:
            _, values = read_values(rows[column.name], column)
            return BinCounts.of(state, SKETCHES[sketch].summarize(state, values))
    return None
