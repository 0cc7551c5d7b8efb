"""Two versions of a model side by side: their references, verdicts and metrics by chunk. No I/O here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import hypot, sqrt
from typing import Any

from driftline.engine.catalogue import title
from driftline.engine.number_format import readable
from driftline.engine.results import Result, ResultKind, State
from driftline.engine.spec import Spec
from driftline.report.charts import Axis, Chart, Series, draw_chart
from driftline.report.strip import StripCell, count_states, strip_cell
from driftline.report.view import ChunkView
from driftline.report.wording import PERIOD_WORDS, STATE_WORDS, StateWords, period_label
from driftline.store.versions.registry import Version
from monitoring.pages.models.hover import hover_data, metric_lines
from monitoring.pages.models.model_page import LEFT_MARGIN, METRIC_HEIGHT, RIGHT_MARGIN, WIDTH
from monitoring.report.chunk_views import ModelStatus

SURE = 2.0
"""A difference is clear beyond so many of its standard errors."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the versions: its verdicts on the axis of both, None where it has no chunk, and how many of each."""

    version: Version
    strip: tuple[StripCell | None, ...]
    states: tuple[tuple[StateWords, State, int], ...]
    rows: int


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """A metric of both versions, second less first, with the standard error; texts, `–` where there is none."""

    title: str
    kind: str
    first: str
    second: str
    difference: str
    error: str
    words: str


@dataclass(frozen=True, slots=True)
class ComparedChunk:
    """A chunk that both versions have: their verdicts, and their metrics with differences."""

    label: str
    first: ChunkView
    second: ChunkView
    metrics: tuple[MetricDifference, ...]


@dataclass(frozen=True, slots=True)
class ComparePage:
    """The comparison: `common` are the chunks that both have, the newest first, `differences` the means over those.

    Where there are none, `differences` compare all chunks of one with all of the other, whose rows are others.
    """

    first: Side
    second: Side
    period: str
    axis: Axis
    differences: tuple[MetricDifference, ...]
    common: tuple[ComparedChunk, ...]
    charts: tuple[tuple[str, tuple[Chart, Chart]], ...]
    same_calendar: bool
    hover: dict[str, Any]


def compare_page(first: ModelStatus, second: ModelStatus) -> ComparePage:
    """Return the comparison of two versions of a model."""
    spec = second.version.spec
    same_calendar = _calendar(first.version.spec) == _calendar(spec)
    sides = [{chunk.start: chunk for chunk in status.chunks} for status in (first, second)]
    starts = sorted({*sides[0], *sides[1]})
    labels = [period_label(start, spec.period, spec.zone) for start in starts]
    axis = Axis(labels or [""], WIDTH, LEFT_MARGIN, RIGHT_MARGIN, most_ticks=10)
    common = [start for start in starts if start in sides[0] and start in sides[1]] if same_calendar else []
    metrics = [metric for metric in spec.metrics if metric in first.version.spec.metrics]
    compared = [[side[start] for start in common] or [*side.values()] for side in sides]
    return ComparePage(
        first=_side(first, sides[0], starts, labels),
        second=_side(second, sides[1], starts, labels),
        period=PERIOD_WORDS[spec.period],
        axis=axis,
        differences=tuple(
            difference
            for metric in metrics
            for kind in (ResultKind.REALIZED, ResultKind.ESTIMATED)
            if (difference := _mean_difference(metric, kind, *compared)) is not None
        ),
        common=tuple(_compared(labels[starts.index(s)], sides[0][s], sides[1][s], metrics) for s in reversed(common)),
        charts=tuple((title(metric), _charts(metric, sides, starts, axis)) for metric in metrics) if starts else (),
        same_calendar=same_calendar,
        hover=hover_data(
            axis,
            [f"{start:%Y-%m-%dT%H:%M:%SZ}" for start in starts],
            [
                [
                    metric_lines(metric, side[start]) if start in side else ["no chunk of this version"]
                    for start in starts
                ]
                for metric in metrics
                for side in sides
            ],
        ),
    )


def _calendar(spec: Spec) -> tuple[str, str]:
    return spec.period, spec.time_zone


def _side(
    status: ModelStatus, chunks: Mapping[datetime, ChunkView], starts: Sequence[datetime], labels: Sequence[str]
) -> Side:
    cells = [
        strip_cell(label, [chunks[start]]) if start in chunks else None
        for start, label in zip(starts, labels, strict=True)
    ]
    states = tuple((STATE_WORDS[state], state, count) for state, count in count_states(status.chunks))
    return Side(status.version, tuple(cells), states, sum(chunk.rows for chunk in status.chunks))


def _charts(
    metric: str, sides: Sequence[Mapping[datetime, ChunkView]], starts: Sequence[datetime], axis: Axis
) -> tuple[Chart, Chart]:
    """Draw a metric of both versions, each with its own bounds."""
    first, second = (
        draw_chart(
            title(metric),
            tuple(
                Series(name, [side[start].result(kind, metric) if start in side else None for start in starts])
                for name, kind in (("realized", ResultKind.REALIZED), ("estimated", ResultKind.ESTIMATED))
            ),
            axis,
            METRIC_HEIGHT,
            provisional=[start in side and side[start].verdict.provisional for start in starts],
        )
        for side in sides
    )
    return first, second


def _compared(label: str, first: ChunkView, second: ChunkView, metrics: Sequence[str]) -> ComparedChunk:
    differences = (_mean_difference(metric, ResultKind.REALIZED, [first], [second]) for metric in metrics)
    return ComparedChunk(
        label, first, second, tuple(d or _empty_difference(m) for d, m in zip(differences, metrics, strict=True))
    )


def _empty_difference(metric: str) -> MetricDifference:
    return MetricDifference(title(metric), "realized", "–", "–", "–", "–", "")


def _mean_difference(
    metric: str, kind: ResultKind, first: Sequence[ChunkView], second: Sequence[ChunkView]
) -> MetricDifference | None:
    """Return the difference of the means over chunks, weighted by their rows; None where one has no value."""
    means = [_mean([*_values(metric, kind, chunks)]) for chunks in (first, second)]
    if means[0] is None or means[1] is None:
        return None
    (before, first_error), (after, second_error) = means[0], means[1]
    difference = after - before
    error = None if first_error is None or second_error is None else hypot(first_error, second_error)
    return MetricDifference(
        title=title(metric),
        kind=str(kind),
        first=readable(before, 4),
        second=readable(after, 4),
        difference=f"{'+' if difference > 0 else ''}{readable(difference, 3)}",
        error="–" if error is None else f"± {readable(error, 2)}",
        words=_words(difference, error),
    )


def _words(difference: float, error: float | None) -> str:
    """Return whether a difference is more than chance, in words."""
    if error is None:
        return "its error is not known"
    return "clear" if abs(difference) > SURE * error else "may be chance"


def _values(metric: str, kind: ResultKind, chunks: Sequence[ChunkView]) -> Iterator[Result]:
    for chunk in chunks:
        result = chunk.result(kind, metric)
        if result is not None and result.value is not None and result.rows:
            yield result


def _mean(results: Sequence[Result]) -> tuple[float, float | None] | None:
    """Return the mean weighted by rows, and its standard error; None without a value."""
    rows = sum(result.rows for result in results)
    if not rows:
        return None
    mean = sum(result.rows * (result.value or 0.0) for result in results) / rows
    if any(result.sampling_error is None for result in results):
        return mean, None
    return mean, sqrt(sum((result.rows * (result.sampling_error or 0.0)) ** 2 for result in results)) / rows
