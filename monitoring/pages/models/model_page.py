"""What a model's page shows, prepared for the template. No I/O here."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from driftline.engine.catalogue import title
from driftline.engine.number_format import percent, readable
from driftline.engine.results import Result, ResultKind, State
from driftline.engine.spec import Spec
from driftline.errors import NotFound
from driftline.report.charts import Axis, Chart, Series, draw_chart
from driftline.report.heat_map import HeatRow, farthest_method, heat_map
from driftline.report.strip import StripCell, count_states, strip_cell
from driftline.report.view import ChunkView
from driftline.report.wording import PERIOD_WORDS, STATE_WORDS, StateWords, period_label
from driftline.store.versions.registry import Version
from driftline.store.versions.roles import Role
from monitoring.pages.models.hover import drift_lines, hover_data, metric_lines
from monitoring.report.advice import Advice, advice_on
from monitoring.report.chunk_views import ModelStatus
from monitoring.report.model_events import ModelEvent
from monitoring.report.model_report import reference_summary

DECISIVE = frozenset({State.OK, State.WARN, State.ALERT})
MOST_DETAILS = 6
MOST_METRICS = 3
"""The table has a column for each of this many metrics at most, and for the estimate of the first."""
METRIC_HEIGHT, DRIFT_HEIGHT = 150.0, 100.0
WIDTH, LEFT_MARGIN, RIGHT_MARGIN = 1240.0, 182.0, 84.0
"""The chart's width, and what is left of it and right of it for labels."""


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as the strip and the table show it; `anchor` is its id within the page."""

    label: str
    anchor: str
    chunk: ChunkView
    words: StateWords
    labels: str
    numbers: tuple[str, ...]

    @property
    def state(self) -> State:
        """The state of the verdict."""
        return self.chunk.verdict.state


@dataclass(frozen=True, slots=True)
class CoverageBar:
    """The labels of a chunk: `height` from 0 to 1, `None` without rows, and whether they are due and enough."""

    height: float | None
    due: bool
    enough: bool
    words: str


@dataclass(frozen=True, slots=True)
class AxisMark:
    """An event on the time axis, at the left end of a place: a version or a spec that begins, or a model's event."""

    x: float
    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Page:
    """One model's page: its newest verdicts, what is missing, what alerts can see, and its charts, all on one axis."""

    version: Version
    versions: Mapping[int, Role | None]
    clock: datetime
    period: str
    axis: Axis
    rows: tuple[ChunkRow, ...]
    newest: ChunkRow | None
    decided: ChunkRow | None
    advice: tuple[Advice, ...]
    charts: tuple[Chart, ...]
    heat: tuple[HeatRow, ...]
    details: tuple[tuple[str, Chart], ...]
    number_names: tuple[str, ...]
    coverage: tuple[CoverageBar, ...]
    marks: tuple[AxisMark, ...]
    segments: tuple[str, ...]
    segment: str | None
    hover: dict[str, Any]
    visible: tuple[str, ...]

    @property
    def states(self) -> list[tuple[StateWords, State, int]]:
        """How many chunks have which verdict, the most severe first."""
        return [(STATE_WORDS[state], state, count) for state, count in count_states([r.chunk for r in self.rows])]

    @property
    def starts(self) -> list[str]:
        """The starts of the chunks, as the page's addresses name them."""
        return [f"{row.chunk.start:%Y-%m-%dT%H:%M:%SZ}" for row in self.rows]

    @property
    def strip(self) -> list[StripCell]:
        """The verdicts from left to right, each with a link to its row of the table."""
        return [strip_cell(row.label, [row.chunk], row.anchor) for row in self.rows]


def page_of(
    status: ModelStatus,
    versions: Mapping[int, Role | None],
    segment: str | None = None,
    events: Sequence[ModelEvent] = (),
) -> Page:
    """Return the page of a model version; with a segment, the charts and the heat map are of its rows.

    Events are marked in the chunks in which they happened.

    Raises:
        NotFound: no results are computed for that segment.
    """
    version, all_rows, spec = status.version, status.chunks, status.version.spec
    segments = segments_of(version)
    if segment is not None and segment not in segments:
        raise NotFound(f"No segment {segment!r} has results. Segments: {', '.join(segments) or 'none in the spec'}.")
    chunks = all_rows if segment is None else [chunk.in_segment(segment) for chunk in all_rows]
    axis = chunk_axis(spec, chunks)
    rows = tuple(_row(spec, chunk, label) for chunk, label in zip(all_rows, axis.labels, strict=True))
    closed = [row for row in rows if row.chunk.closed]
    decided = [row for row in closed if row.state in DECISIVE and not row.chunk.verdict.provisional]
    heat = heat_map(spec, [column.name for column in spec.watched], [[chunk] for chunk in chunks])
    heat.sort(key=lambda row: row.weight, reverse=True)
    drifting = [row.column for row in heat if row.lasts or (segment and row.weight[1])][:MOST_DETAILS]
    methods = {column: farthest_method(spec, column, chunks) for column in drifting}
    return Page(
        version=version,
        versions=versions,
        clock=status.clock,
        period=PERIOD_WORDS[spec.period],
        axis=axis,
        rows=rows,
        newest=closed[-1] if closed else (rows[-1] if rows else None),
        decided=decided[-1] if decided else None,
        advice=tuple(advice_on(spec, all_rows)),
        charts=tuple(metric_chart(metric, chunks, axis) for metric in spec.metrics) if chunks else (),
        heat=tuple(heat),
        details=tuple((column, drift_chart(column, method, chunks, axis)) for column, method in methods.items()),
        number_names=_number_names(spec),
        coverage=tuple(_coverage_bar(spec, chunk, label) for chunk, label in zip(chunks, axis.labels, strict=True)),
        marks=tuple(_marks(status.first_chunks, chunks, events, axis)),
        segments=segments,
        segment=segment,
        hover=hover_data(
            axis,
            [f"{chunk.start:%Y-%m-%dT%H:%M:%SZ}" for chunk in chunks],
            [
                *([metric_lines(metric, chunk) for chunk in chunks] for metric in spec.metrics),
                *([drift_lines(m, _drift_result(k, c, m), k) for k in chunks] for c, m in methods.items()),
            ],
        ),
        visible=reference_summary(version).visible_lines,
    )


def chunk_axis(spec: Spec, chunks: Sequence[ChunkView]) -> Axis:
    """Return the axis that the charts of a page share: a place for each chunk."""
    return Axis(
        [period_label(c.start, spec.period, spec.zone) for c in chunks], WIDTH, LEFT_MARGIN, RIGHT_MARGIN, most_ticks=10
    )


def segments_of(version: Version) -> tuple[str, ...]:
    """Return the segments that have results of their own, as `feature=value`."""
    return tuple(
        f"{feature}={value}"
        for feature, segments in version.fitted.segments.items()
        for value, segment in segments.items()
        if segment.methods is not None
    )


def _coverage_bar(spec: Spec, chunk: ChunkView, label: str) -> CoverageBar:
    share, due = chunk.coverage, "due" if chunk.labels_due else "not due yet"
    words = "no rows" if share is None else f"{percent(share)} of {chunk.rows:,} labels are in; they are {due}"
    return CoverageBar(share, chunk.labels_due, share is not None and share >= spec.label_coverage, f"{label}: {words}")


def _marks(
    first_chunks: Mapping[int, datetime], chunks: Sequence[ChunkView], events: Sequence[ModelEvent], axis: Axis
) -> Iterator[AxisMark]:
    """Yield where versions begin, another spec revision was used and events happened, from left to right."""
    marks: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for number, start in first_chunks.items():
        place = next((n for n, chunk in enumerate(chunks) if chunk.start >= start), None)
        if place is not None and (place or chunks[0].start == start) and len(first_chunks) > 1:
            marks[place][f"version {number}"] = f"version {number} begins"
    revisions = [(n, chunk.spec_revision) for n, chunk in enumerate(chunks) if chunk.spec_revision is not None]
    for (_, previous), (place, revision) in pairwise(revisions):
        if revision != previous:
            marks[place][f"spec {revision}"] = f"spec {revision} begins"
    for event in events:
        place = next((n for n, chunk in enumerate(chunks) if chunk.start <= event.at < chunk.end), None)
        if place is not None:
            marks[place][event.text] = event.words
    for place in sorted(marks):
        words = "; ".join(marks[place].values())
        yield AxisMark(axis.x(place), ", ".join(marks[place]), f"{axis.labels[place]}: {words}")


def metric_chart(metric: str, chunks: Sequence[ChunkView], axis: Axis) -> Chart:
    """Draw a metric: realized values, the estimate with its band, and the bounds."""
    realized = Series("realized", [chunk.result(ResultKind.REALIZED, metric) for chunk in chunks])
    estimated = Series("estimated", [chunk.result(ResultKind.ESTIMATED, metric) for chunk in chunks])
    provisional = [chunk.verdict.provisional for chunk in chunks]
    return draw_chart(title(metric), (realized, estimated), axis, METRIC_HEIGHT, provisional=provisional)


def drift_chart(column: str, method: str, chunks: Sequence[ChunkView], axis: Axis) -> Chart:
    """Draw one drift or data quality method of a column with its bounds."""
    series = Series("value", [_drift_result(chunk, column, method) for chunk in chunks])
    provisional, levels = [not chunk.closed for chunk in chunks], ("expected", "warn")
    return draw_chart(
        title(method), (series,), axis, DRIFT_HEIGHT, levels=levels, provisional=provisional, from_zero=True
    )


def _drift_result(chunk: ChunkView, column: str, method: str) -> Result | None:
    return chunk.result(ResultKind.DRIFT, method, column) or chunk.result(ResultKind.QUALITY, method, column)


def _row(spec: Spec, chunk: ChunkView, label: str) -> ChunkRow:
    labels = "–" if chunk.coverage is None else percent(chunk.coverage)
    anchor = f"c-{chunk.start.astimezone(spec.zone):%Y-%m-%dT%H}"
    return ChunkRow(label, anchor, chunk, STATE_WORDS[chunk.verdict.state], labels, _numbers(spec, chunk))


def _number_names(spec: Spec) -> tuple[str, ...]:
    """Return the headings of the table's numbers: the spec's first metrics, and the estimate of the first."""
    return (*map(title, spec.metrics[:MOST_METRICS]), f"Estimated {title(spec.metrics[0])}")


def _numbers(spec: Spec, chunk: ChunkView) -> tuple[str, ...]:
    realized = [chunk.result(ResultKind.REALIZED, metric) for metric in spec.metrics[:MOST_METRICS]]
    results = (*realized, chunk.result(ResultKind.ESTIMATED, spec.metrics[0]))
    return tuple("–" if r is None or r.value is None else _table_number(r.value) for r in results)


def _table_number(value: float) -> str:
    """Return a number of a table's column, whose rows have equally many decimals while they are small."""
    return f"{value:.3f}" if abs(value) < 10 else readable(value, 4)
