"""Line charts as geometry: one number by chunk with each chunk's own bounds, for templates to draw. No I/O here."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import ceil, floor, log10
from operator import attrgetter

from driftline.engine.number_format import readable
from driftline.engine.results import Bounds, Result

MARGIN = 10.0
"""The space above the highest and below the lowest value."""
LABEL_HEIGHT = 12.0
MOST_DOTS = 90
"""Charts with more places than this have dots only where a value is outside its bounds."""
ERRORS = 3.0
"""The band around an estimate extends this many standard errors to each side."""

Value = float | None
LEVELS: tuple[tuple[str, Callable[[Bounds], Value]], ...] = (
    ("expected", attrgetter("expected")),
    ("warn", attrgetter("lower")),
    ("warn", attrgetter("upper")),
    ("alert", attrgetter("alert_lower")),
    ("alert", attrgetter("alert_upper")),
)
"""The levels that a chart may draw: the name, and the side of the bounds."""
LEVEL_NAMES = frozenset(name for name, _ in LEVELS)


@dataclass(frozen=True, slots=True)
class Mark:
    """A text and where it is, in the chart's own units."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A value at its place; `outside` means beyond a warning bound, `provisional` that it may still change."""

    x: float
    y: float
    words: str
    outside: bool
    provisional: bool


@dataclass(frozen=True, slots=True)
class Level:
    """A bound or the expected value as steps from chunk to chunk; `label` is at its newest value."""

    name: str
    path: str
    label: Mark


@dataclass(frozen=True, slots=True)
class Series:
    """A line of results, None where a place has none; `name` is `realized`, `estimated` or `value`."""

    name: str
    results: Sequence[Result | None]


@dataclass(frozen=True, slots=True)
class Axis:
    """The horizontal axis: a place of equal width for each chunk (or group of chunks), with its label."""

    labels: Sequence[str]
    width: float
    left: float
    right: float
    most_ticks: int = 3

    @property
    def step(self) -> float:
        """The width of a place."""
        return (self.width - self.left - self.right) / max(1, len(self.labels))

    @property
    def end(self) -> float:
        """The right end of the last place."""
        return self.width - self.right

    @property
    def cell(self) -> float:
        """The width of a cell, which leaves a gap to the next one."""
        return round(self.step - min(2.0, self.step / 5), 2)

    def x(self, place: float) -> float:
        """Return the left end of a place; half a place more is its middle."""
        return round(self.left + place * self.step, 1)

    @property
    def cells(self) -> list[tuple[float, float]]:
        """The left end and the middle of the cell of each place."""
        half = self.cell / 2
        return [(x, round(x + half, 1)) for x in map(self.x, range(len(self.labels)))]

    @property
    def ticks(self) -> list[Mark]:
        """A readable number of labels at equal distances, the last one among them."""
        last = len(self.labels) - 1
        every = max(1, ceil(last / (self.most_ticks - 1)))
        places = list(range(last, -1, -every))
        if places and places[-1] >= 0.7 * every:  # there is room for the first label too
            places.append(0)
        return [Mark(self.x(place + 0.5), self.labels[place]) for place in reversed(places)]


@dataclass(frozen=True, slots=True)
class ValueAxis:
    """The vertical axis: the largest value is on top."""

    low: float
    high: float
    height: float

    @classmethod
    def spanning(cls, values: Sequence[float], height: float) -> "ValueAxis":
        """Return an axis that spans all values with a small margin."""
        low, high = min(values, default=0.0), max(values, default=1.0)
        room = (high - low) * 0.08 or max(abs(high) * 0.1, 0.01)
        return cls(low - room, high + room, height)

    def y(self, value: float) -> float:
        """Return the height of a value; a value beyond the scale is drawn at its edge."""
        share = min(max((self.high - value) / (self.high - self.low), 0.0), 1.0)
        return round(MARGIN + share * (self.height - 2 * MARGIN), 1)

    @property
    def ticks(self) -> list[Mark]:
        """Two to six round values."""
        rough = (self.high - self.low) / 4
        magnitude = 10.0 ** floor(log10(rough))
        step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough)
        first = floor(self.low / step) + 1
        values = [n * step for n in range(first, first + 6) if n * step < self.high]
        return [Mark(self.y(value), _tick_text(value, step)) for value in values]


@dataclass(frozen=True, slots=True)
class ReferenceBand:
    """Where the reference is: its mean at the height `middle`, and the newest warning bounds around it."""

    top: float
    bottom: float
    middle: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart: its title, its newest value in words, a note on how often it was outside, and its geometry."""

    title: str
    newest: str
    newest_of: str
    note: str
    height: float
    ticks: list[Mark]
    levels: list[Level]
    lines: list[tuple[str, str]]
    dots: list[Dot]
    band: str
    empty: bool
    reference: ReferenceBand | None


def draw_chart(
    title: str,
    series: Sequence[Series],
    axis: Axis,
    height: float,
    *,
    levels: Collection[str] = LEVEL_NAMES,
    provisional: Sequence[bool] = (),
    from_zero: bool = False,
) -> Chart:
    """Draw one number: its first series with dots, the estimated one with a band, and each place's own bounds.

    `levels` are names of `LEVELS`; `provisional` marks the places whose values may still change; `from_zero` lets the
    scale begin at 0.
    """
    bounds = _bounds(series)
    bands = _bands(series)
    picked = [(name, [pick(b) if b else None for b in bounds]) for name, pick in LEVELS if name in levels]
    values = [value for line in series for value in _values(line.results) if value is not None]
    bound_values = [value for _, column in picked for value in column if value is not None]
    edges = [edge for band in bands if band for edge in band]
    scale = ValueAxis.spanning([*values, *bound_values, *edges, *([0.0] if from_zero else [])], height)
    newest, newest_of = _newest(series, axis)
    return Chart(
        title=title,
        newest=newest,
        newest_of=newest_of,
        note=_note(series),
        height=height,
        ticks=scale.ticks,
        levels=_labels_apart([level for name, column in picked for level in _level(name, column, axis, scale)]),
        lines=[(line.name, _path(_values(line.results), axis, scale)) for line in series],
        dots=_dots(title, series[0], provisional, axis, scale),
        band=_band(bands, axis, scale),
        empty=not values,
        reference=_reference(bounds, scale),
    )


def is_flat(results: Sequence[Result | None]) -> bool:
    """Return whether a number never changed and never left its bounds: a chart of it shows nothing."""
    defined = [result for result in results if result and result.value is not None]
    return len({r.value for r in defined}) == 1 and not any(map(is_outside, defined))


def is_outside(result: Result) -> bool:
    """Return whether a result has a value beyond one of its warning bounds."""
    return result.value is not None and result.bounds.breaches_warning_bound(result.value)


def estimate_band(result: Result) -> tuple[float, float] | None:
    """Return the interval of an estimate, 3 standard errors to each side; None without a value or an error."""
    if result.value is None or result.sampling_error is None:
        return None
    return result.value - ERRORS * result.sampling_error, result.value + ERRORS * result.sampling_error


def _values(results: Sequence[Result | None]) -> list[Value]:
    return [result.value if result else None for result in results]


def _bounds(series: Sequence[Series]) -> list[Bounds | None]:
    """Return each place's bounds, which may depend on its rows: those of the first series with a value there."""
    by_series = ([r.bounds if r and r.value is not None else None for r in line.results] for line in series)
    return [next((bounds for bounds in place if bounds), None) for place in zip(*by_series, strict=True)]


def _bands(series: Sequence[Series]) -> list[tuple[float, float] | None]:
    estimated = next((line.results for line in series if line.name == "estimated"), ())
    return [estimate_band(result) if result else None for result in estimated]


def _reference(bounds: Sequence[Bounds | None], scale: ValueAxis) -> ReferenceBand | None:
    """Return the range of the reference by the newest bounds; a bound that is missing is the edge of the chart."""
    newest = next((b for b in reversed(bounds) if b is not None and b.expected is not None), None)
    if newest is None or newest.expected is None:
        return None
    top, bottom = (scale.y(edge) for edge in (_value_or(newest.upper, scale.high), _value_or(newest.lower, scale.low)))
    sides = [readable(side) for side in (newest.lower, newest.upper) if side is not None]
    words = f"Reference: mean {readable(newest.expected)}" + (f", bounds {' and '.join(sides)}" if sides else "")
    return ReferenceBand(top, bottom, scale.y(newest.expected), words)


def _value_or(value: Value, default: float) -> float:
    return default if value is None else value


def _note(series: Sequence[Series]) -> str:
    """Return how often the first series that has values was outside its bounds."""
    first = next((line for line in series if any(value is not None for value in _values(line.results))), None)
    outside = sum(is_outside(result) for result in first.results if result) if first else 0
    return f"outside its bounds {outside} time{'s' if outside > 1 else ''}" if outside else ""


def _newest(series: Sequence[Series], axis: Axis) -> tuple[str, str]:
    """Return the newest value of the first series that has one, and what it is a value of."""
    for line in series:
        for label, value in zip(reversed(axis.labels), reversed(_values(line.results)), strict=True):
            if value is not None:
                return readable(value), f"estimated, {label}" if line.name == "estimated" else label
    return "–", "no value yet"


def _level(name: str, values: Sequence[Value], axis: Axis, scale: ValueAxis) -> Iterator[Level]:
    last = next((value for value in reversed(values) if value is not None), None)
    if last is not None:
        yield Level(name, _steps(values, axis, scale), Mark(scale.y(last), readable(last)))


def _labels_apart(levels: Sequence[Level]) -> list[Level]:
    """Move the labels of bounds down until none overlaps another."""
    lowest, apart = float("-inf"), []
    for level in sorted(levels, key=lambda level: level.label.at):
        if level.name != "expected":  # it has no label
            lowest = max(level.label.at, lowest + LABEL_HEIGHT)
            apart.append(replace(level, label=Mark(lowest, level.label.text)))
        else:
            apart.append(level)
    return apart


def _steps(values: Sequence[Value], axis: Axis, scale: ValueAxis) -> str:
    """Return the path of a level: horizontal over each place that has it, vertical where it changes."""
    strokes = []
    for run in _runs(values):
        for height, pairs in groupby(run, key=lambda pair: scale.y(pair[1])):
            places = [place for place, _ in pairs]
            begin = f"V{height}" if places[0] != run[0][0] else f"M{axis.x(places[0])} {height}"
            strokes.append(f"{begin}H{axis.x(places[-1] + 1)}")
    return "".join(strokes)


def _path(values: Sequence[Value], axis: Axis, scale: ValueAxis) -> str:
    """Return the path of a line with gaps where there is no value; a single value is a short stroke."""
    strokes = []
    for run in _runs(values):
        points = [f"{axis.x(place + 0.5)} {scale.y(value)}" for place, value in run]
        strokes.append("M" + "L".join(points) if len(points) > 1 else f"M{points[0]}h.1")
    return "".join(strokes)


def _runs(values: Sequence[Value]) -> list[list[tuple[int, float]]]:
    """Return the stretches of places that have values."""
    grouped = groupby(enumerate(values), key=lambda pair: pair[1] is None)
    return [[(place, value) for place, value in run if value is not None] for empty, run in grouped if not empty]


def _band(bands: Sequence[tuple[float, float] | None], axis: Axis, scale: ValueAxis) -> str:
    """Return the outline of the bands: along the upper edges, then back along the lower ones."""
    shapes = []
    for run in _runs([None if band is None else band[1] for band in bands]):
        upper = [f"{axis.x(place + 0.5)} {scale.y(value)}" for place, value in run]
        lower = [f"{axis.x(place + 0.5)} {scale.y(band[0])}" for place, _ in reversed(run) if (band := bands[place])]
        shapes.append("M" + "L".join(upper + lower) + "Z")
    return "".join(shapes)


def _dots(title: str, series: Series, provisional: Sequence[bool], axis: Axis, scale: ValueAxis) -> list[Dot]:
    dots = []
    for place, result in enumerate(series.results):
        if result is None or result.value is None:
            continue
        outside, open_ended = is_outside(result), place < len(provisional) and provisional[place]
        if outside or len(axis.labels) <= MOST_DOTS:
            words = f"{axis.labels[place]}: {title} {readable(result.value, 4)} from {result.rows:,} rows"
            words += (", outside its bound" if outside else "") + (", provisional" if open_ended else "")
            dots.append(Dot(axis.x(place + 0.5), scale.y(result.value), words, outside, open_ended))
    return dots


def _tick_text(value: float, step: float) -> str:
    """Return a short text with as many digits as neighboring ticks need to differ."""
    if abs(value) < 100_000:
        return f"{value:,.{max(0, -floor(log10(step)))}f}"
    return f"{value:.{floor(log10(abs(value))) - floor(log10(step)) + 1}g}"
