"""Line charts as geometry: what a template needs to draw them as SVG. No I/O here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import floor, log10
from operator import attrgetter

from driftline.engine.catalogue import title
from driftline.engine.results import Bounds, Result, ResultKind
from monitoring.pages.timeline import Tick, Timeline
from monitoring.report.chunk_report import ChunkReport

METRIC_HEIGHT, DRIFT_HEIGHT, MARGIN = 132.0, 84.0, 10.0
LABEL = 12.0
"""How much height a label needs."""
ERRORS = 3.0
"""The band around an estimate is this many standard errors wide on each side."""

Place = tuple[int, float]
Level = tuple[str, Callable[[Bounds], float | None]]
"""What a bound is shown as, and which it is."""
LEVELS: tuple[Level, ...] = (
    ("warn", attrgetter("lower")),
    ("warn", attrgetter("upper")),
    ("alert", attrgetter("alert_lower")),
    ("alert", attrgetter("alert_upper")),
)
"""The bounds that are drawn of a metric."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A value at its place; `words` say it, `outside` that it is beyond its bound, `provisional` that it may change."""

    x: float
    y: float
    words: str
    outside: bool
    provisional: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A path and what it shows: realized, estimated, value, expected, warn or alert; `label` stands at its end."""

    shows: str
    path: str
    label: Tick | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: its title, its newest value in words, and all that is drawn."""

    title: str
    newest: str
    newest_of: str
    height: float
    ticks: list[Tick]
    lines: list[Line]
    dots: list[Dot]
    band: str | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """Turns values into heights; the largest is on top."""

    lowest: float
    highest: float
    height: float

    @classmethod
    def around(cls, values: Iterable[float], height: float) -> "Scale":
        """Make a scale that shows all values with a little room."""
        known = list(values) or [0.0, 1.0]
        low, high = min(known), max(known)
        room = (high - low) * 0.08 or max(abs(high) * 0.1, 0.01)
        return cls(low - room, high + room, height)

    def __call__(self, value: float) -> float:
        """Give the height of a value; what is beyond the scale stands at its edge."""
        share = min(max((self.highest - value) / (self.highest - self.lowest), 0.0), 1.0)
        return round(MARGIN + share * (self.height - 2 * MARGIN), 2)

    @property
    def ticks(self) -> list[Tick]:
        """Three or so round values."""
        raw = (self.highest - self.lowest) / 3
        magnitude = 10.0 ** floor(log10(raw))
        step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= raw)
        digits = max(0, -floor(log10(step)))
        first = floor(self.lowest / step) + 1
        values = [n * step for n in range(first, first + 6) if n * step < self.highest]
        return [Tick(self(value), f"{value:.{digits}f}") for value in values]


def metric_chart(metric: str, chunks: Sequence[ChunkReport], timeline: Timeline) -> Chart:
    """Draw a metric: realized values, the estimate with its band, and the bounds."""
    realized = [report.result(ResultKind.REALIZED, metric) for report in chunks]
    estimated = [report.result(ResultKind.ESTIMATED, metric) for report in chunks]
    bounds = [_bounds(*pair) for pair in zip(realized, estimated, strict=True)]
    edges = _band_edges(estimated)
    limits = [[pick(b) if b else None for b in bounds] for _, pick in LEVELS]
    shown = [
        value for column in (_values(realized), _values(estimated), *limits) for value in column if value is not None
    ]
    scale = Scale.around([*shown, *(edge for pair in edges if pair for edge in pair)], METRIC_HEIGHT)
    settled = [not report.verdict.provisional for report in chunks]
    lines = [
        *_limit_lines(bounds, timeline, scale, LEVELS),
        Line("estimated", _path(_values(estimated), timeline, scale)),
        Line("realized", _path(_values(realized), timeline, scale)),
    ]
    dots = _dots(title(metric), realized, settled, timeline, scale)
    newest, newest_of = _newest(realized, estimated, timeline)
    return Chart(
        title(metric), newest, newest_of, METRIC_HEIGHT, scale.ticks, lines, dots, _band(edges, timeline, scale)
    )


def drift_chart(column: str, method: str, chunks: Sequence[ChunkReport], timeline: Timeline) -> Chart:
    """Draw one drift or quality method of a column with its bounds."""
    found = [_drift_result(report, column, method) for report in chunks]
    bounds = [result.bounds if result else None for result in found]
    limits = [b.upper if b else None for b in bounds]
    shown = [value for one in (_values(found), limits) for value in one if value is not None]
    scale = Scale.around([0.0, *shown], DRIFT_HEIGHT)
    lines = [
        *_limit_lines(bounds, timeline, scale, [("warn", attrgetter("upper"))]),
        Line("value", _path(_values(found), timeline, scale)),
    ]
    dots = _dots(title(method), found, [report.closed for report in chunks], timeline, scale)
    newest, of = _newest(found, found, timeline)
    return Chart(column, newest, f"{title(method)}, {of}", DRIFT_HEIGHT, scale.ticks[:3], lines, dots)


def _drift_result(report: ChunkReport, column: str, method: str) -> Result | None:
    return report.result(ResultKind.DRIFT, method, column) or report.result(ResultKind.QUALITY, method, column)


def _bounds(realized: Result | None, estimated: Result | None) -> Bounds | None:
    found = realized or estimated
    return found.bounds if found else None


def _values(results: Iterable[Result | None]) -> list[float | None]:
    return [result.value if result else None for result in results]


def _runs(values: Sequence[float | None]) -> list[list[Place]]:
    """The stretches without a gap: a line must not be drawn over chunks that have no value."""
    runs: list[list[Place]] = [[]]
    for place, value in enumerate(values):
        if value is not None:
            runs[-1].append((place, value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _path(values: Sequence[float | None], timeline: Timeline, scale: Scale) -> str:
    paths = []
    for run in _runs(values):
        points = [f"{timeline.middle(place)} {scale(value)}" for place, value in run]
        paths.append("M" + "L".join(points))
    return " ".join(paths)


def _limit_lines(
    bounds: Sequence[Bounds | None],
    timeline: Timeline,
    scale: Scale,
    levels: Sequence[Level],
) -> list[Line]:
    """Bounds as steps over whole columns: a chunk's own rows, or another spec revision, may have moved them."""
    lines = []
    for shows, pick in levels:
        values = [pick(b) if b else None for b in bounds]
        steps = [
            f"M{timeline.left(place)} {scale(value)}h{round(timeline.step, 2)}"
            for place, value in enumerate(values)
            if value is not None
        ]
        last = next((value for value in reversed(values) if value is not None), None)
        if last is not None:
            lines.append(Line(shows, "".join(steps), Tick(scale(last), f"{last:.3g}")))
    return _labels_apart(lines)


def _labels_apart(lines: Sequence[Line]) -> list[Line]:
    """Move labels down until none stands on another."""
    lowest, apart = 0.0, []
    for line in sorted(lines, key=lambda line: line.label.at if line.label else 0.0):
        if line.label:
            lowest = max(line.label.at, lowest + LABEL)
            apart.append(replace(line, label=Tick(lowest, line.label.label)))
    return apart


def _band_edges(estimated: Iterable[Result | None]) -> list[tuple[float, float] | None]:
    edges: list[tuple[float, float] | None] = []
    for result in estimated:
        if result is None or result.value is None or result.sampling_error is None:
            edges.append(None)
        else:
            wide = ERRORS * result.sampling_error
            edges.append((result.value - wide, result.value + wide))
    return edges


def _band(edges: Sequence[tuple[float, float] | None], timeline: Timeline, scale: Scale) -> str | None:
    shapes = []
    for run in _runs([float(place) if edge else None for place, edge in enumerate(edges)]):
        found = [(place, edge) for place, _ in run if (edge := edges[place]) is not None]
        upper = [f"{timeline.middle(place)} {scale(edge[1])}" for place, edge in found]
        lower = [f"{timeline.middle(place)} {scale(edge[0])}" for place, edge in reversed(found)]
        shapes.append("M" + "L".join(upper + lower) + "Z")
    return " ".join(shapes) or None


def _dots(
    what: str, results: Sequence[Result | None], settled: Sequence[bool], timeline: Timeline, scale: Scale
) -> list[Dot]:
    dots = []
    for place, (result, final) in enumerate(zip(results, settled, strict=True)):
        if result is None or result.value is None:
            continue
        outside = result.bounds.breaches_warning_bound(result.value)
        words = f"{timeline.names[place]}: {what} {result.value:.4g} from {result.rows:,} rows"
        words += ", outside its bound" if outside else ""
        words += "" if final else ", provisional"
        dots.append(Dot(timeline.middle(place), scale(result.value), words, outside, not final))
    return dots


def _newest(
    realized: Sequence[Result | None], estimated: Sequence[Result | None], timeline: Timeline
) -> tuple[str, str]:
    for kind, results in (("", realized), ("estimated, ", estimated)):
        for place in range(len(results) - 1, -1, -1):
            result = results[place]
            if result is not None and result.value is not None:
                return f"{result.value:.3g}", f"{kind}{timeline.names[place]}"
    return "–", "no value yet"
