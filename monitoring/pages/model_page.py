"""What a model's page shows, prepared for the template. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from driftline.engine.catalogue import title
from driftline.engine.number_format import percent
from driftline.engine.results import Result, ResultKind, State
from driftline.engine.spec import Spec
from driftline.report.charts import Axis, Chart, Series, draw_chart
from driftline.report.heat_map import HeatRow, farthest_method, heat_map
from driftline.report.strip import StripCell, count_states, strip_cell
from driftline.report.view import ChunkView
from driftline.report.wording import PERIOD_WORDS, STATE_WORDS, StateWords, period_label
from driftline.store.registry import Version
from monitoring.report.advice import Advice, advice_on

DECISIVE = frozenset({State.OK, State.WARN, State.ALERT})
MOST_DETAILS = 6
MOST_METRICS = 3
"""The table has a column for each of this many metrics at most, and for the estimate of the first."""
METRIC_HEIGHT, DRIFT_HEIGHT = 132.0, 84.0


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
class Page:
    """One model's page: its newest verdicts, what is missing, and its charts, all on one axis."""

    version: Version
    versions: tuple[int, ...]
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

    @property
    def states(self) -> list[tuple[StateWords, State, int]]:
        """How many chunks have which verdict, the gravest first."""
        return [(STATE_WORDS[state], state, count) for state, count in count_states([r.chunk for r in self.rows])]

    @property
    def strip(self) -> list[StripCell]:
        """The verdicts from left to right, each with a link to its row of the table."""
        return [strip_cell(row.label, [row.chunk], row.anchor) for row in self.rows]


def page_of(version: Version, versions: tuple[int, ...], clock: datetime, chunks: Sequence[ChunkView]) -> Page:
    """Return the page of a model version from its chunks, oldest first."""
    spec = version.spec
    axis = Axis([period_label(c.start, spec.period, spec.zone) for c in chunks], 1140, 226, 84, most_ticks=12)
    rows = tuple(_row(spec, chunk, label) for chunk, label in zip(chunks, axis.labels, strict=True))
    closed = [row for row in rows if row.chunk.closed]
    decided = [row for row in closed if row.state in DECISIVE and not row.chunk.verdict.provisional]
    heat = heat_map(spec, [column.name for column in spec.watched], [[chunk] for chunk in chunks])
    lasting = [row.column for row in heat if row.lasts][:MOST_DETAILS]
    return Page(
        version=version,
        versions=versions,
        clock=clock,
        period=PERIOD_WORDS[spec.period],
        axis=axis,
        rows=rows,
        newest=closed[-1] if closed else (rows[-1] if rows else None),
        decided=decided[-1] if decided else None,
        advice=tuple(advice_on(spec, chunks)),
        charts=tuple(metric_chart(metric, chunks, axis) for metric in spec.metrics) if chunks else (),
        heat=tuple(heat),
        details=tuple((c, drift_chart(c, farthest_method(spec, c, chunks), chunks, axis)) for c in lasting),
        number_names=_number_names(spec),
    )


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
    return tuple("–" if r is None or r.value is None else f"{r.value:.3f}" for r in results)
