"""The data quality of a model by chunk, prepared for the template. No I/O here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from driftline.engine.catalogue import title
from driftline.engine.number_format import readable
from driftline.engine.results import ROW_LEVEL, Result, ResultKind
from driftline.report.charts import Axis, Chart, Series, draw_chart
from driftline.report.heat_map import HeatRow, heat_map
from driftline.report.view import ChunkView
from driftline.report.wording import PERIOD_WORDS, STATE_WORDS, StateWords
from driftline.store.versions.registry import Version
from monitoring.pages.models.hover import outside_words
from monitoring.pages.models.model_page import DRIFT_HEIGHT, chunk_axis
from monitoring.report.advice import WRITE_PREDICTIONS, Advice
from monitoring.report.chunk_views import ModelStatus


@dataclass(frozen=True, slots=True)
class QualityFault:
    """A column's number that is outside its bounds in the newest chunk with rows."""

    subject: str
    title: str
    value: str
    bounds: str
    reason: str
    words: StateWords
    result: Result


@dataclass(frozen=True, slots=True)
class QualityPage:
    """The data quality of columns as a heat map, of rows as charts, and what is outside its bounds now."""

    version: Version
    period: str
    axis: Axis
    starts: tuple[str, ...]
    newest: str
    faults: tuple[QualityFault, ...]
    heat: tuple[HeatRow, ...]
    charts: tuple[Chart, ...]
    advice: tuple[Advice, ...]


def quality_page(status: ModelStatus) -> QualityPage:
    """Return the page of a model version's data quality."""
    spec, chunks = status.version.spec, [_quality_view(chunk) for chunk in status.chunks]
    axis = chunk_axis(spec, chunks)
    heat = heat_map(spec, [column.name for column in spec.watched], [[chunk] for chunk in chunks])
    heat.sort(key=lambda row: row.weight, reverse=True)
    with_rows = [place for place, chunk in enumerate(chunks) if chunk.rows]
    newest = with_rows[-1] if with_rows else None
    return QualityPage(
        version=status.version,
        period=PERIOD_WORDS[spec.period],
        axis=axis,
        starts=tuple(f"{chunk.start:%Y-%m-%dT%H:%M:%SZ}" for chunk in chunks),
        newest="" if newest is None else axis.labels[newest],
        faults=() if newest is None else tuple(_faults(chunks[newest])),
        heat=tuple(heat),
        charts=tuple(_row_charts(chunks, axis)),
        advice=() if chunks else (WRITE_PREDICTIONS,),
    )


def _quality_view(chunk: ChunkView) -> ChunkView:
    """Return the chunk with its data quality alone, none of which is drift that lasts."""
    results = tuple(result for result in chunk.results if result.kind is ResultKind.QUALITY)
    return replace(chunk, results=results, verdict=replace(chunk.verdict, drifted=()), drift=None)


def _faults(chunk: ChunkView) -> Iterator[QualityFault]:
    """Yield the results of a chunk that are beyond their warning bounds."""
    for result in chunk.results:
        if result.value is not None and result.bounds.breaches_warning_bound(result.value):
            bounds = result.bounds
            yield QualityFault(
                subject="all rows" if result.method in ROW_LEVEL else result.subject,
                title=title(result.method),
                value=readable(result.value, 4),
                bounds=outside_words(bounds.lower, bounds.upper),
                reason=result.reason or "",
                words=STATE_WORDS[result.state],
                result=result,
            )


def _row_charts(chunks: Sequence[ChunkView], axis: Axis) -> Iterator[Chart]:
    """Yield a chart for each method of rows that has a value."""
    for method in sorted(ROW_LEVEL):
        series = [next((r for r in chunk.results if r.method == method), None) for chunk in chunks]
        if any(result and result.value is not None for result in series):
            provisional = [not chunk.closed for chunk in chunks]
            levels = ("expected", "warn")
            yield draw_chart(
                title(method), (Series("value", series),), axis, DRIFT_HEIGHT, levels=levels, provisional=provisional
            )
