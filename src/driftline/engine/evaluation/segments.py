"""Segments: the rows that share a value of a categorical feature, with results by segment. No I/O here.

Each segment is compared with the same segment of the reference: it has its own fitted methods and bounds. Rows
without a value of the feature are in no segment. Multivariate methods are not computed by segment.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.computation.fitted_methods import (
    FittedMethods,
    SegmentSummary,
    SummaryContent,
    read_values,
    require,
)
from driftline.engine.drift.methods import SKETCHES, Sketch
from driftline.engine.drift.sketches.bin_counts import BinCounts
from driftline.engine.frames.columns import coded
from driftline.engine.outcome import ResultKey, too_few
from driftline.engine.spec import ColumnSpec, Spec
from driftline.engine.tasks import Map, call
from driftline.engine.thresholds.fitted_bounds import FittedBounds, bounds_from_list, bounds_to_list, fit_bounds
from driftline.errors import InvalidInput

MAXIMUM_SEGMENTS = 50
"""The largest number of values that a feature of `spec.segments` may have in the reference."""
LOCALIZABLE = (Sketch.HISTOGRAM, Sketch.FREQUENCIES)
"""The sketches whose bins or categories drift can be localized in."""


@dataclass(frozen=True, slots=True, eq=False)
class FittedSegment:
    """The reference's rows in one segment, fitted.

    `methods` is None where there are fewer rows than the spec's minimum; then `bounds` are empty. `counts` are,
    by watched column, the numbers of rows in each bin or category of the reference.
    """

    rows: int
    methods: FittedMethods | None
    bounds: Mapping[ResultKey, FittedBounds]
    counts: Mapping[str, BinCounts]

    def to_dict(self) -> dict[str, Any]:
        """Return the segment as JSON-compatible values."""
        return {
            "rows": self.rows,
            "methods": self.methods.to_dict() if self.methods else None,
            "bounds": bounds_to_list(self.bounds),
            "counts": {name: counts.to_list() for name, counts in self.counts.items()},
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the state that `to_dict` serialized."""
        return cls(
            stored["rows"],
            FittedMethods.from_dict(stored["methods"]) if stored["methods"] else None,
            bounds_from_list(stored["bounds"]),
            {name: BinCounts.from_list(counts) for name, counts in stored["counts"].items()},
        )


FittedSegments = Mapping[str, Mapping[str, FittedSegment]]
"""Segments of the reference, by feature and value."""
SegmentSummaries = Mapping[str, Mapping[str, SegmentSummary]]
"""Segments of a chunk, by feature and value."""
ChunkRows = tuple[Chunk, pd.DataFrame]
"""A chunk of the reference and its rows."""


def split_by_value(frame: pd.DataFrame, feature: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each value of `feature` as text, in alphabetical order, with its rows; missing values are left out."""
    codes, texts = coded(frame[feature])
    values = sorted({texts[code] for code in np.unique(codes[codes >= 0]).tolist()})
    numbers = {value: number for number, value in enumerate(values)}
    number_of_row = np.array([*(numbers.get(text, -1) for text in texts), -1], dtype=np.int64)[codes]
    for number, value in enumerate(values):
        yield value, frame.iloc[np.flatnonzero(number_of_row == number)]


def fit_segments(
    ordered: pd.DataFrame, spec: Spec, reference: FittedMethods, chunks: Sequence[ChunkRows], mapper: Map
) -> dict[str, dict[str, FittedSegment]]:
    """Fit every segment of the reference; `chunks` are its chunks, `reference` the methods fitted on all its rows.

    Raises InvalidInput for a feature with more than 50 values in the reference.
    """
    return {feature: _fit_feature(feature, ordered, spec, reference, chunks, mapper) for feature in spec.segments}


def summarize_segments(
    fitted: FittedSegments,
    reference: FittedMethods,
    frame: pd.DataFrame,
    spec: Spec,
    content: SummaryContent = SummaryContent.ALL,
) -> SegmentSummaries:
    """Summarize some or all rows of a chunk by segment; for values that the reference lacks, only rows are counted."""
    require(frame, spec.segments)
    return {
        feature: _summarize_feature(fitted[feature], feature, reference, frame, spec, content)
        for feature in spec.segments
    }


def new_values(fitted: Mapping[str, FittedSegment], parts: Mapping[str, SegmentSummary]) -> list[str]:
    """Return the values that a chunk has and the reference lacks: the 50 most frequent, most frequent first."""
    missing = [value for value in parts if value not in fitted]
    return sorted(missing, key=lambda value: (-parts[value].rows, value))[:MAXIMUM_SEGMENTS]


def spec_of_segments(spec: Spec) -> Spec:
    """Return the spec of the results that are computed in each segment."""
    return spec.model_copy(update={"multivariate_methods": (), "segments": ()})


def _fit_feature(
    feature: str,
    ordered: pd.DataFrame,
    spec: Spec,
    reference: FittedMethods,
    chunks: Sequence[ChunkRows],
    mapper: Map,
) -> dict[str, FittedSegment]:
    """Fit each value of `feature` on its rows of the reference, through `mapper`."""
    parts = dict(split_by_value(ordered, feature))
    if len(parts) > MAXIMUM_SEGMENTS:
        msg = (
            f"{feature} has {len(parts)} values in the reference, more than the {MAXIMUM_SEGMENTS} segments that it "
            "may have; choose a feature with fewer values, or group its values first"
        )
        raise InvalidInput(msg)
    divided = [(chunk, dict(split_by_value(rows, feature))) for chunk, rows in chunks]
    chunks_of = {value: [(chunk, rows[value]) for chunk, rows in divided if value in rows] for value in parts}
    tasks = [partial(_fit, rows, spec, reference, chunks_of[value]) for value, rows in parts.items()]
    return dict(zip(parts, mapper(call, tasks), strict=True))


def _fit(rows: pd.DataFrame, spec: Spec, reference: FittedMethods, chunks: Sequence[ChunkRows]) -> FittedSegment:
    counts = _bin_counts(rows, spec, reference)
    if too_few(len(rows), spec.minimum_rows, "rows"):
        return FittedSegment(len(rows), None, {}, counts)
    methods = FittedMethods.fit(rows, spec_of_segments(spec))
    return FittedSegment(len(rows), methods, fit_bounds(methods, spec_of_segments(spec), chunks), counts)


def _summarize_feature(
    fitted: Mapping[str, FittedSegment],
    feature: str,
    reference: FittedMethods,
    frame: pd.DataFrame,
    spec: Spec,
    content: SummaryContent,
) -> dict[str, SegmentSummary]:
    parts = dict.fromkeys(fitted, frame.iloc[:0]) | dict(split_by_value(frame, feature))
    return {value: _summarize(fitted.get(value), reference, rows, spec, content) for value, rows in parts.items()}


def _summarize(
    segment: FittedSegment | None, reference: FittedMethods, rows: pd.DataFrame, spec: Spec, content: SummaryContent
) -> SegmentSummary:
    if segment is None:
        return SegmentSummary(len(rows), None, {})
    summary = segment.methods.summarize(rows, spec_of_segments(spec), content) if segment.methods else None
    return SegmentSummary(len(rows), summary, _bin_counts(rows, spec, reference, content))


def _bin_counts(
    rows: pd.DataFrame, spec: Spec, reference: FittedMethods, content: SummaryContent = SummaryContent.ALL
) -> dict[str, BinCounts]:
    """Count rows by bin or category of the reference, for each watched column that has a localizable sketch."""
    columns = (column for column in spec.watched if content.has(column.name))
    counts = {column.name: _bin_counts_of(rows, column, reference) for column in columns}
    return {name: counted for name, counted in counts.items() if counted is not None}


def _bin_counts_of(rows: pd.DataFrame, column: ColumnSpec, reference: FittedMethods) -> BinCounts | None:
    for sketch, state in reference.columns[column.name].sketches.items():
        if sketch in LOCALIZABLE:
            _, values = read_values(rows[column.name], column)
            return BinCounts.of(state, SKETCHES[sketch].summarize(state, values))
    return None
