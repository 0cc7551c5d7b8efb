"""What the page of a column in one chunk shows, prepared for the template. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from driftline.engine.catalogue import title
from driftline.engine.localization import Contribution
from driftline.engine.number_format import p_value_text, readable
from driftline.engine.results import Result, ResultKind, State, is_of_model
from driftline.report.charts import Axis, Chart
from driftline.report.distribution import DistributionChart, draw_distributions, part_name
from driftline.report.heat_map import farthest_method
from driftline.report.view import ChunkView
from driftline.report.wording import PERIOD_WORDS, STATE_WORDS, StateWords
from driftline.store.versions.registry import Version
from driftline.store.versions.roles import Role
from monitoring.pages.models.hover import outside_words
from monitoring.pages.models.model_page import chunk_axis, drift_chart
from monitoring.service import ColumnStatus

MOST_PARTS = 10


@dataclass(frozen=True, slots=True)
class MovedPart:
    """A bin, category or segment: the shares of both sides, the difference in points, and its part of the drift."""

    name: str
    reference: float
    chunk: float
    points: str
    share: float


@dataclass(frozen=True, slots=True)
class ColumnNumber:
    """A result of the column: every number in words; `state` is None where it has no state of its own."""

    title: str
    value: str
    bounds: str
    expected: str
    p_value: str
    rows: int
    state: State
    words: StateWords
    reason: str


@dataclass(frozen=True, slots=True)
class ColumnPage:
    """A column in one chunk, with the column over time and the chunks before and after."""

    version: Version
    versions: Mapping[int, Role | None]
    column: str
    kind: str
    period: str
    label: str
    chunk: ChunkView
    words: StateWords
    lasting: bool
    drifted: bool
    distribution: DistributionChart | None
    bins: tuple[MovedPart, ...]
    by_segment: tuple[tuple[str, tuple[MovedPart, ...]], ...]
    missing: str | None
    numbers: tuple[ColumnNumber, ...]
    axis: Axis
    chart: Chart
    place: int
    previous: ChunkView | None
    following: ChunkView | None


def column_page(status: ColumnStatus, column: str, versions: Mapping[int, Role | None]) -> ColumnPage:
    """Return the page of a column in one chunk."""
    version, chunk, drift, spec = status.version, status.chunk, status.drift, status.version.spec
    axis = chunk_axis(spec, status.chunks)
    place = status.chunks.index(chunk)
    method = farthest_method(spec, column, [chunk])
    return ColumnPage(
        version=version,
        versions=versions,
        column=column,
        kind=next(str(watched.kind) for watched in spec.watched if watched.name == column),
        period=PERIOD_WORDS[spec.period],
        label=axis.labels[place],
        chunk=chunk,
        words=STATE_WORDS[chunk.verdict.state],
        lasting=column in chunk.verdict.drifted,
        drifted=column in chunk.drifted_columns(spec),
        distribution=draw_distributions(drift.bins) if drift.bins else None,
        bins=_moved(drift.bins),
        by_segment=tuple((feature, _moved(parts)) for feature, parts in drift.by_segment.items() if parts),
        missing=drift.missing,
        numbers=tuple(_number(result) for result in _results_of(chunk, column)),
        axis=axis,
        chart=drift_chart(column, method, status.chunks, axis),
        place=place,
        previous=status.chunks[place - 1] if place else None,
        following=status.chunks[place + 1] if place + 1 < len(status.chunks) else None,
    )


def _moved(parts: Sequence[Contribution]) -> tuple[MovedPart, ...]:
    return tuple(
        MovedPart(part_name(p), p.reference, p.chunk, f"{100 * (p.chunk - p.reference):+.1f}", p.share)
        for p in parts[:MOST_PARTS]
    )


def _results_of(chunk: ChunkView, column: str) -> list[Result]:
    kinds = (ResultKind.DRIFT, ResultKind.QUALITY, ResultKind.STATISTIC)
    return [
        result
        for kind in kinds
        for result in chunk.results
        if (result.kind, result.subject, result.segment) == (kind, column, None)
        and not is_of_model(result.kind, result.method)
    ]


def _number(result: Result) -> ColumnNumber:
    """Return a result with its bounds as text."""
    bounds = result.bounds
    return ColumnNumber(
        title=title(result.method),
        value="–" if result.value is None else readable(result.value, 4),
        bounds=outside_words(bounds.lower, bounds.upper) or "–",
        expected="–" if bounds.expected is None else readable(bounds.expected),
        p_value="–" if result.p_value is None else p_value_text(result.p_value).removeprefix("p = ").removeprefix("p "),
        rows=result.rows,
        state=result.state,
        words=STATE_WORDS[result.state],
        reason=result.reason or "",
    )
