"""A backtest as one self-contained HTML page: no script, no request, below a megabyte."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from math import ceil, inf, isfinite
from typing import Any

from driftline import __version__
from driftline.backtesting.output.charts import MOST_PLACES, Axis, Chart, Series, draw, is_flat
from driftline.backtesting.output.result import BacktestChunk, BacktestResult
from driftline.engine.catalogue import title
from driftline.engine.results import MODEL, Result, ResultKind, State
from driftline.engine.verdicts.findings import SEVERITY
from driftline.errors import DriftlineError

LARGEST = 1_000_000
"""The page stays below this many bytes."""
CHARTS = (80, 40, 16, 4)
"""How many charts of columns there are at most; fewer where the page would grow too large."""
ROWS = (500, 200, 80)
"""How many chunks the table lists at most, then those that are not ok first."""
SHADES = 6
PERIODS = {"1h": "hour", "1d": "day", "1w": "week", "1mo": "month", "1q": "quarter"}
WORDS = {
    State.OK: "ok",
    State.WARN: "warn",
    State.ALERT: "alert",
    State.PENDING_LABELS: "pending labels",
    State.INSUFFICIENT: "insufficient",
    State.NO_DATA: "no data",
    State.ERROR: "error",
}

Name = tuple[str, ResultKind, str, Any]
"""Subject, kind, method and segment: which number a result is."""


class ReportExtraMissing(DriftlineError):
    """Pages and plots need the extra `report`: pip install 'driftline[report]'."""


@dataclass(frozen=True, slots=True)
class Group:
    """Charts that belong together."""

    name: str
    charts: list[Chart]


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A column's drift by place: one path for each shade, and where it was part of the verdict."""

    column: str
    y: int
    shades: list[tuple[int, str]]
    drifted: list[float]


def render(result: BacktestResult) -> str:
    """Write the page, with fewer charts and rows where all of them would be too much."""
    template = _template()
    text = ""
    for most, rows in zip(CHARTS, (*ROWS, ROWS[-1]), strict=True):
        text = template.render(view=View(result, most, rows), version=__version__)
        if len(text.encode()) < LARGEST:
            break
    return text


def _template() -> Any:
    try:
        from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  (an extra, and slow to import)
    except ImportError as error:
        raise ReportExtraMissing from error
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((resources.files("driftline.backtesting.output") / "page.html").read_text("utf-8"))


class View:
    """What the template shows of a backtest."""

    def __init__(self, result: BacktestResult, most_charts: int, most_rows: int) -> None:
        """Lay the chunks out on an axis; `most_charts` and `most_rows` keep the page small."""
        self.result = result
        self.words = WORDS
        self.step = ceil(len(result.chunks) / MOST_PLACES)
        self.groups = [result.chunks[i : i + self.step] for i in range(0, len(result.chunks), self.step)]
        self.names = [_when(group[0], result.chunks) for group in self.groups]
        self.found = _by_name(result.chunks)
        self.columns = _columns_by_drift(result)
        self._flat = {name for name, results in self.found.items() if is_flat([one for _, one in results])}
        self._most_charts, self._most_rows = most_charts, most_rows

    @property
    def counts(self) -> list[tuple[State, int]]:
        """How many chunks have which verdict, the gravest first."""
        counted = Counter(chunk.verdict.state for chunk in self.result.chunks)
        return [(state, counted[state]) for state in (*reversed(SEVERITY), State.NO_DATA) if counted[state]]

    @property
    def cut(self) -> str:
        """How the analysis was cut, in words that follow the number of chunks."""
        kind, _, number = self.result.chunk.partition(":")
        one = "" if len(self.result.chunks) == 1 else "s"
        return {"rows": f"chunk{one} of {number} rows", "count": f"chunk{one} of equal size"}.get(
            kind, f"chunk{one} of one {PERIODS.get(kind, kind)}"
        )

    @property
    def strip(self) -> list[tuple[float, float, State, str]]:
        """The verdicts from left to right: place, width, state and words; of several chunks the gravest."""
        width = 1100 / len(self.groups)
        return [(round(i * width, 2), round(width * 0.9, 2), *self._gravest(i)) for i in range(len(self.groups))]

    @property
    def ends(self) -> list[str]:
        """The names of the first and the last place."""
        return [self.names[0], self.names[-1]] if len(self.names) > 1 else self.names

    @property
    def performance(self) -> list[Chart]:
        """Charts of the model's performance, realized and estimated in one."""
        methods = dict.fromkeys(
            n[2] for n in self.found if n[1] in (ResultKind.REALIZED, ResultKind.ESTIMATED) and _whole(n)
        )
        drawn = (self._performance(method) for method in methods)
        return [chart for chart in drawn if chart]

    @property
    def others(self) -> list[Group]:
        """Charts of drift, quality and statistics: what drifted first."""
        names = [name for name in self._of_columns if name not in self._flat]
        ranks = {column: rank for rank, column in enumerate([MODEL, *self.columns])}
        names.sort(key=lambda name: ranks.get(name[0], len(ranks)))
        groups: dict[str, list[Chart]] = {}
        for name in names[: self._most_charts]:
            chart = self._chart(name)
            if chart:
                groups.setdefault(_heading(name), []).append(chart)
        return [Group(name, charts) for name, charts in groups.items()]

    @property
    def left_out(self) -> int:
        """How many charts there was no room for."""
        return max(0, len([name for name in self._of_columns if name not in self._flat]) - self._most_charts)

    @property
    def flat(self) -> list[tuple[str, str]]:
        """Numbers of columns that never moved: the method, and which columns."""
        found: dict[str, list[str]] = {}
        for name in self._of_columns:
            if name in self._flat:
                found.setdefault(title(name[2]), []).append(name[0])
        return [(method, ", ".join(dict.fromkeys(columns))) for method, columns in found.items()]

    @property
    def _of_columns(self) -> list[Name]:
        return [
            name
            for name in self.found
            if name[1] not in (ResultKind.REALIZED, ResultKind.ESTIMATED) or not _whole(name)
        ]

    @property
    def heat(self) -> list[HeatRow]:
        """Drift of each column by place, as shades of its value over its bound."""
        reached = [_reached(group) for group in self.groups]
        return [self._heat(column, place * 20, reached) for place, column in enumerate(self.columns[:60])]

    @property
    def rows(self) -> list[BacktestChunk]:
        """The chunks of the table, in order; where there are too many those that speak up."""
        chunks = list(self.result.chunks)
        if len(chunks) <= self._most_rows:
            return chunks
        loud = [chunk for chunk in chunks if chunk.verdict.state is not State.OK]
        return loud[: self._most_rows]

    def when(self, chunk: BacktestChunk) -> str:
        """Name a chunk by its start, as short as all of them allow."""
        return _when(chunk, self.result.chunks)

    def _performance(self, method: str) -> Chart | None:
        realized = self._series("realized", (MODEL, ResultKind.REALIZED, method, None))
        estimated = self._series("estimated", (MODEL, ResultKind.ESTIMATED, method, None))
        return draw(title(method), (realized, estimated), Axis(self.names, 560), 170)

    def _chart(self, name: Name) -> Chart | None:
        words = title(name[2])
        shown = " ".join(part for part in (words[:1].upper() + words[1:], str(name[3] or "")) if part)
        return draw(shown, (self._series("value", name),), Axis(self.names, 400), 120)

    def _series(self, shows: str, name: Name) -> Series:
        results = self.found.get(name, [])
        by_chunk = dict(results)
        places = [
            [found for i in range(len(group)) if (found := by_chunk.get(first * self.step + i))]
            for first, group in enumerate(self.groups)
        ]
        return Series(shows, [_furthest(results) for results in places])

    def _gravest(self, place: int) -> tuple[State, str]:
        order = (State.NO_DATA, *SEVERITY)
        chunk = max(self.groups[place], key=lambda chunk: order.index(chunk.verdict.state))
        reason = chunk.verdict.reasons[0] if chunk.verdict.reasons else ""
        return chunk.verdict.state, f"{self.when(chunk)}: {WORDS[chunk.verdict.state]}. {reason}"

    def _heat(self, column: str, y: int, reached: Sequence[Mapping[str, float]]) -> HeatRow:
        width = 880 / len(self.groups)
        paths: dict[int, str] = {}
        for place, ratios in enumerate(reached):
            if column in ratios:
                shade = min(SHADES - 1, int(ratios[column] * 3))
                paths[shade] = paths.get(shade, "") + f"M{220 + place * width:.1f} {y + 9}h{width * 0.92:.1f}"
        marks = [220 + (i + 0.46) * width for i, g in enumerate(self.groups) if any(column in _drifted(c) for c in g)]
        return HeatRow(column, y, sorted(paths.items()), [round(mark, 1) for mark in marks])


def _by_name(chunks: Sequence[BacktestChunk]) -> dict[Name, list[tuple[int, Result]]]:
    found: dict[Name, list[tuple[int, Result]]] = {}
    for place, chunk in enumerate(chunks):
        for result in chunk.results:
            name = (result.subject, result.kind, str(result.method), result.segment)
            found.setdefault(name, []).append((place, result))
    return found


def _columns_by_drift(result: BacktestResult) -> list[str]:
    """Name all columns, those that drifted most often first."""
    columns = dict.fromkeys(r.subject for c in result.chunks for r in c.results if r.kind is ResultKind.DRIFT)
    often = Counter(column for chunk in result.chunks for column in chunk.verdict.drifted)
    return sorted(columns, key=lambda column: -often[column])


def _drifted(chunk: BacktestChunk) -> tuple[str, ...]:
    return chunk.verdict.drifted


def _reached(chunks: Iterable[BacktestChunk]) -> dict[str, float]:
    """Say by column how far its drift is on the way to its bound, at the most; 1 is at the bound."""
    found: dict[str, float] = {}
    for result in (r for chunk in chunks for r in chunk.results if r.kind is ResultKind.DRIFT and r.segment is None):
        ratio = result.value / result.bounds.upper if result.value is not None and result.bounds.upper else inf
        if isfinite(ratio):
            found[result.subject] = max(ratio, found.get(result.subject, ratio))
    return found


def _furthest(results: Sequence[Result]) -> Result | None:
    """Of the results of several chunks the one furthest from what is expected."""
    known = [result for result in results if result.value is not None]
    return max(known, key=_distance, default=None)


def _distance(result: Result) -> float:
    value, expected = result.value or 0.0, result.bounds.expected
    return abs(value - (expected or 0.0))


def _whole(name: Name) -> bool:
    return name[0] == MODEL and name[3] is None


def _heading(name: Name) -> str:
    return "The model as a whole" if name[0] == MODEL else name[0]


def _when(chunk: BacktestChunk, chunks: Sequence[BacktestChunk]) -> str:
    midnights = all((one.start.hour, one.start.minute, one.start.second) == (0, 0, 0) for one in chunks)
    return f"{chunk.start:%Y-%m-%d}" if midnights else f"{chunk.start:%Y-%m-%d %H:%M}"
