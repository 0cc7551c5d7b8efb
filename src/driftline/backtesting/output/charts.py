"""Line charts as geometry: one number by chunk, with its bounds, for a template to draw as SVG. No I/O here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import floor, log10
from operator import attrgetter

from driftline.engine.results import Bounds, Result

LEFT, RIGHT, TOP, FOOT = 46.0, 52.0, 10.0, 20.0
MOST_PLACES = 300
"""With more chunks than this several share a place, and the one furthest out of its bounds is shown."""
MOST_DOTS = 90
DAY = len("2026-01-31")
ERRORS = 3.0
"""The band around an estimate is this many standard errors wide on each side."""

Value = float | None


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a height or a place."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A value; `outside` says that it is beyond a bound."""

    x: float
    y: float
    words: str
    outside: bool


@dataclass(frozen=True, slots=True)
class Level:
    """A bound, or the mean of the reference, as a line of steps: `name` says which, `end` is its newest value."""

    name: str
    path: str
    end: Mark


@dataclass(frozen=True, slots=True)
class Series:
    """A line of values and what it shows: `realized`, `estimated` or `value`."""

    shows: str
    results: Sequence[Result | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn of one number."""

    title: str
    note: str
    width: float
    height: float
    ticks: list[Mark]
    dates: list[Mark]
    levels: list[Level]
    lines: list[tuple[str, str]]
    dots: list[Dot]
    band: str


@dataclass(frozen=True, slots=True)
class Axis:
    """Where chunks stand from left to right, and what their names are."""

    names: Sequence[str]
    width: float

    @property
    def step(self) -> float:
        """How wide a place is."""
        return (self.width - LEFT - RIGHT) / max(1, len(self.names))

    def x(self, place: float) -> float:
        """Give the middle of a place; half a place less is its left end."""
        return round(LEFT + (place + 0.5) * self.step, 1)

    @property
    def dates(self) -> list[Mark]:
        """The first, middle and last name; only their days where these differ."""
        days = [name[:DAY] for name in self.names]
        names = days if len(set(days)) > 2 else self.names
        places = sorted({0, len(self.names) // 2, len(self.names) - 1}) if len(self.names) > 2 else [0]
        return [Mark(self.x(place), names[place]) for place in places]


@dataclass(frozen=True, slots=True)
class Scale:
    """Turns values into heights; the largest is on top."""

    low: float
    high: float
    height: float

    @classmethod
    def around(cls, values: Sequence[float], height: float) -> "Scale":
        """Make a scale that shows all values with a little room."""
        low, high = min(values, default=0.0), max(values, default=1.0)
        room = (high - low) * 0.08 or abs(high) * 0.1 or 0.01
        return cls(low - room, high + room, height)

    def y(self, value: float) -> float:
        """Give the height of a value."""
        share = (self.high - value) / (self.high - self.low)
        return round(TOP + min(max(share, 0.0), 1.0) * (self.height - TOP - FOOT), 1)

    @property
    def ticks(self) -> list[Mark]:
        """Three or so round values."""
        raw = (self.high - self.low) / 4
        magnitude = 10.0 ** floor(log10(raw))
        step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= raw)
        first = floor(self.low / step) + 1
        values = [n * step for n in range(first, first + 6) if n * step < self.high]
        digits = max(0, -floor(log10(step)))
        return [Mark(self.y(value), _short(value, digits)) for value in values]


def draw(title: str, series: Sequence[Series], axis: Axis, height: float) -> Chart | None:
    """Draw one number; None where none of the chunks has it."""
    found = [result for one in series for result in one.results if result and result.value is not None]
    if not found:
        return None
    bounds = _bounds(series)
    edges = _edges(series)
    values = [result.value for result in found if result.value is not None]
    limits = [limit for one in bounds if one for limit in (one.lower, one.upper) if limit is not None]
    banded = [edge for pair in edges if pair for edge in pair]
    scale = Scale.around([*values, *limits, *banded], height)
    return Chart(
        title=title,
        note=_note(series),
        width=axis.width,
        height=height,
        ticks=scale.ticks,
        dates=axis.dates,
        levels=_levels(bounds, axis, scale),
        lines=[(one.shows, _path([r.value if r else None for r in one.results], axis, scale)) for one in series],
        dots=_dots(series[0], axis, scale),
        band=_band(edges, axis, scale),
    )


def _note(series: Sequence[Series]) -> str:
    """Say how often the first of the lines that has values was outside its bounds."""
    values = [[r for r in one.results if r and r.value is not None] for one in series]
    first = next(results for results in values if results)
    outside = sum(result.bounds.breaches_warning_bound(result.value or 0.0) for result in first)
    return f"{outside}× outside" if outside else ""


def is_flat(results: Sequence[Result | None]) -> bool:
    """Say whether a number never moved and never left its bounds: there is nothing to see."""
    known = [result for result in results if result and result.value is not None]
    return len({r.value for r in known}) == 1 and not any(
        r.bounds.breaches_warning_bound(r.value or 0.0) for r in known
    )


def _bounds(series: Sequence[Series]) -> list[Bounds | None]:
    """Give each place's bounds, which may know its rows: those of the first line that has a value there."""
    known = ([r.bounds if r and r.value is not None else None for r in one.results] for one in series)
    return [next((bounds for bounds in place if bounds), None) for place in zip(*known, strict=True)]


def _levels(bounds: Sequence[Bounds | None], axis: Axis, scale: Scale) -> list[Level]:
    picks: tuple[tuple[str, Callable[[Bounds], Value]], ...] = (
        ("expected", attrgetter("expected")),
        ("bound", attrgetter("lower")),
        ("bound", attrgetter("upper")),
    )
    named = ((name, [pick(one) if one else None for one in bounds]) for name, pick in picks)
    return [
        Level(name, _steps(values, axis, scale), Mark(scale.y(last), f"{last:.3g}"))
        for name, values in named
        if (last := next((value for value in reversed(values) if value is not None), None)) is not None
    ]


def _steps(values: Sequence[Value], axis: Axis, scale: Scale) -> str:
    """Draw a level at each place that has one, from its left end to its right end."""
    strokes = []
    for run in _runs(values):
        for height, places in groupby(run, key=lambda pair: scale.y(pair[1])):
            level = [place for place, _ in places]
            begin = f"V{height}" if level[0] != run[0][0] else f"M{axis.x(level[0] - 0.5)} {height}"
            strokes.append(f"{begin}H{axis.x(level[-1] + 0.5)}")
    return "".join(strokes)


def _path(values: Sequence[Value], axis: Axis, scale: Scale) -> str:
    """Draw a line with gaps where there is no value; a value alone is a short stroke."""
    strokes = []
    for run in _runs(values):
        points = [f"{axis.x(place)} {scale.y(value)}" for place, value in run]
        strokes.append("M" + "L".join(points) if len(points) > 1 else f"M{points[0]}h.1")
    return "".join(strokes)


def _runs(values: Sequence[Value]) -> list[list[tuple[int, float]]]:
    grouped = groupby(enumerate(values), key=lambda pair: pair[1] is None)
    return [[(place, value) for place, value in run if value is not None] for empty, run in grouped if not empty]


def _edges(series: Sequence[Series]) -> list[tuple[float, float] | None]:
    estimated = next((one.results for one in series if one.shows == "estimated"), ())
    return [
        (r.value - ERRORS * r.sampling_error, r.value + ERRORS * r.sampling_error)
        if r and r.value is not None and r.sampling_error is not None
        else None
        for r in estimated
    ]


def _band(edges: Sequence[tuple[float, float] | None], axis: Axis, scale: Scale) -> str:
    shapes = []
    for run in _runs([None if edge is None else edge[1] for edge in edges]):
        upper = [f"{axis.x(place)} {scale.y(value)}" for place, value in run]
        lower = [f"{axis.x(place)} {scale.y(edge[0])}" for place, _ in reversed(run) if (edge := edges[place])]
        shapes.append("M" + "L".join(upper + lower) + "Z")
    return "".join(shapes)


def _dots(series: Series, axis: Axis, scale: Scale) -> list[Dot]:
    dots = []
    for place, result in enumerate(series.results):
        if result is None or result.value is None:
            continue
        outside = result.bounds.breaches_warning_bound(result.value)
        if outside or len(axis.names) <= MOST_DOTS:
            words = f"{axis.names[place]}: {result.value:.4g} from {result.rows:,} rows"
            dots.append(Dot(axis.x(place), scale.y(result.value), words, outside))
    return dots


def _short(value: float, digits: int) -> str:
    size = abs(value)
    return f"{value:.2g}" if size >= 100_000 else f"{value:,.{digits}f}"
