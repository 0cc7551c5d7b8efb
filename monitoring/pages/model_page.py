"""All that a model's page shows, made ready for the template. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from driftline.engine.results import Quality, ResultKind, State
from driftline.engine.spec import Spec
from driftline.engine.verdicts.findings import percent
from driftline.store.registry import Version
from monitoring.pages.charts import Chart, drift_chart, metric_chart
from monitoring.pages.drift_map import DriftCell, DriftRow, drift_map, ratio
from monitoring.pages.states import SHOWN, Shown
from monitoring.pages.timeline import Timeline
from monitoring.report.advice import PERIOD_WORDS, Advice, advice_on
from monitoring.report.chunk_report import ChunkReport

DECISIVE = frozenset({State.OK, State.WARN, State.ALERT})
MOST_DETAILS = 6
SHADES = 8
"""How many shades a drift cell has: four up to its bound, four beyond."""


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk as the strip and the table show it; `anchor` names it within the page."""

    name: str
    anchor: str
    report: ChunkReport
    shown: Shown
    state: State
    labels: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A drift cell with its shade: 0 to 7, None where there is no value."""

    x: float
    shade: int | None
    cell: DriftCell
    words: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A column of the model over all chunks."""

    column: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """One model's page: how it stands, what is missing, and its charts, all on one timeline."""

    version: Version
    versions: tuple[int, ...]
    clock: datetime
    period: str
    timeline: Timeline
    rows: tuple[ChunkRow, ...]
    newest: ChunkRow | None
    decided: ChunkRow | None
    advice: tuple[Advice, ...]
    charts: tuple[Chart, ...]
    heat: tuple[HeatRow, ...]
    details: tuple[Chart, ...]
    number_names: tuple[str, ...]

    @property
    def states(self) -> list[tuple[Shown, State, int]]:
        """How many chunks stand how, the gravest first."""
        order = [
            State.ALERT,
            State.WARN,
            State.ERROR,
            State.PENDING_LABELS,
            State.OK,
            State.INSUFFICIENT,
            State.NO_DATA,
        ]
        counts = [(state, sum(row.state is state for row in self.rows)) for state in order]
        return [(SHOWN[state], state, count) for state, count in counts if count]


def page_of(version: Version, versions: tuple[int, ...], clock: datetime, chunks: Sequence[ChunkReport]) -> Page:
    """Make the page of a model version from its chunks, oldest first."""
    spec = version.spec
    timeline = Timeline.of(spec, chunks)
    rows = tuple(_row(version, report, name) for report, name in zip(chunks, timeline.names, strict=True))
    closed = [row for row in rows if row.report.closed]
    decided = [row for row in closed if row.state in DECISIVE and not row.report.verdict.provisional]
    drifted = drift_map(spec, chunks)
    return Page(
        version=version,
        versions=versions,
        clock=clock,
        period=PERIOD_WORDS[spec.period],
        timeline=timeline,
        rows=rows,
        newest=closed[-1] if closed else (rows[-1] if rows else None),
        decided=decided[-1] if decided else None,
        advice=tuple(advice_on(spec, chunks)),
        charts=tuple(metric_chart(metric, chunks, timeline) for metric in spec.metrics) if chunks else (),
        heat=tuple(_heat(row, timeline) for row in drifted),
        details=tuple(_details(spec, drifted, chunks, timeline)),
        number_names=("F1", "ROC AUC", "est. ROC AUC"),
    )


def _row(version: Version, report: ChunkReport, name: str) -> ChunkRow:
    state = report.verdict.state
    numbers = tuple(
        _number(report, kind, metric)
        for kind, metric in (
            (ResultKind.REALIZED, "f1"),
            (ResultKind.REALIZED, "roc_auc"),
            (ResultKind.ESTIMATED, "roc_auc"),
        )
    )
    labels = "–" if report.coverage is None else percent(report.coverage)
    start = report.chunk.start.astimezone(version.spec.zone)
    return ChunkRow(name, f"c-{start:%Y-%m-%dT%H}", report, SHOWN[state], state, labels, numbers)


def _number(report: ChunkReport, kind: ResultKind, metric: str) -> str:
    result = report.result(kind, metric)
    return "–" if result is None or result.value is None else f"{result.value:.3f}"


def _heat(row: DriftRow, timeline: Timeline) -> HeatRow:
    cells = []
    for place, cell in enumerate(row.cells):
        note = "drift that lasts" if cell.lasting else "drift seen" if cell.seen else ""
        words = f"{timeline.names[place]}, {row.column}: {cell.words}" + (f" – {note}" if note else "")
        cells.append(HeatCell(timeline.left(place), shade(cell.ratio), cell, words))
    return HeatRow(row.column, tuple(cells))


def shade(way: float | None) -> int | None:
    """Give the shade of a ratio: 0 to 3 below 1, 4 to 7 from 1 to 4 and beyond."""
    if way is None:
        return None
    if way < 1:
        return min(int(way * 4), 3)
    return next((place for place, limit in enumerate((1.5, 2.0, 4.0), start=4) if way < limit), SHADES - 1)


def _details(spec: Spec, drifted: Sequence[DriftRow], chunks: Sequence[ChunkReport], timeline: Timeline) -> list[Chart]:
    """The columns whose drift lasted, each by the method that was farthest beyond its bound."""
    lasting = [row.column for row in drifted if row.lasts][:MOST_DETAILS]
    return [drift_chart(column, _farthest(spec, column, chunks), chunks, timeline) for column in lasting]


def _farthest(spec: Spec, column: str, chunks: Sequence[ChunkReport]) -> str:
    kinds = (ResultKind.DRIFT, ResultKind.QUALITY)
    ways = [
        (way, str(result.method))
        for report in chunks
        for result in report.results
        if result.subject == column and result.kind in kinds and (way := ratio(spec, result)) is not None
    ]
    return max(ways)[1] if ways else str(Quality.MISSING_VALUES)
