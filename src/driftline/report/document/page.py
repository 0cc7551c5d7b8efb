"""A report as one self-contained HTML page: no script, no request, below a megabyte."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import NamedTuple

from driftline.engine.catalogue import title
from driftline.engine.results import MODEL, Result, ResultKind, State, is_of_model
from driftline.report.charts import Axis, Chart, Series, draw_chart, is_flat
from driftline.report.document.content import ReportContent
from driftline.report.document.summary import ComparedValue, Headline, compare, headline, range_words
from driftline.report.heat_map import HeatRow, heat_map
from driftline.report.pages import environment, stylesheet
from driftline.report.strip import StripCell, count_states, strip_cell
from driftline.report.view import ChunkView
from driftline.report.wording import LINE_WORDS, STATE_WORDS, iso_labels
from driftline.version import __version__

LARGEST = 1_000_000
"""The page stays below this many bytes."""
CHARTS = (80, 40, 16, 4)
"""The most column charts: fewer where the page would become too large."""
ROWS = (500, 200, 80, 80)
"""The most chunks in the table; with more of them, only those that are not ok are listed."""
MOST_PLACES = 300
"""With more chunks, several share a place on the time axis, which shows the value farthest from the expected one."""
MOST_COLUMNS = 60
MOST_CELLS = 1_500
"""A heat map with more cells has no titles for them."""


class SeriesKey(NamedTuple):
    """Identifies a series of results, one for each chunk."""

    subject: str
    kind: ResultKind
    method: str
    segment: str | None


@dataclass(frozen=True, slots=True)
class ChartGroup:
    """The charts of one subject."""

    name: str
    charts: list[Chart]


def render(content: ReportContent, most_charts: int = CHARTS[0], *, paper: bool = False) -> str:
    """Return the page, with fewer charts and rows where all of them would make it too large.

    `paper` leaves out what has to be unfolded.
    """
    template, page, text = environment().get_template("report.html"), ReportPage(content, paper=paper), ""
    for charts, page.most_rows in zip(CHARTS, ROWS, strict=True):
        page.most_charts = min(charts, most_charts)
        text = template.render(page=page, style=stylesheet(), version=__version__)
        if len(text.encode()) < LARGEST:
            break
    return text


class ReportPage:
    """The values that the template shows."""

    def __init__(self, content: ReportContent, *, paper: bool = False) -> None:
        """Group the chunks into places of the time axis; `most_charts` and `most_rows` limit the size of the page."""
        self.paper = paper
        self.most_charts, self.most_rows = CHARTS[0], ROWS[0]
        self.content = content
        self.state_words, self.line_words = STATE_WORDS, LINE_WORDS
        self.step = max(1, ceil(len(content.chunks) / MOST_PLACES))
        self.places = [content.chunks[i : i + self.step] for i in range(0, len(content.chunks), self.step)]
        self.labels = iso_labels([chunk.start for chunk in content.chunks])
        place_labels = self.labels[:: self.step]
        self.wide = Axis(place_labels, 1140, 216, 40, most_ticks=8)
        self.half = Axis(place_labels, 560, 46, 52)
        self.third = Axis(place_labels, 400, 46, 52)
        self.results = _results_by_series(content.chunks)
        self.columns = _columns_by_drift(content.chunks)
        self._provisional = [any(chunk.verdict.provisional for chunk in place) for place in self.places]
        self._flat = {key for key, results in self.results.items() if is_flat([r for _, r in results])}

    @cached_property
    def headline(self) -> Headline:
        """The verdict of the range in sentences."""
        return headline(self.content)

    @cached_property
    def compared(self) -> list[ComparedValue]:
        """What is compared with the range before."""
        return compare(self.content)

    @property
    def ranges(self) -> tuple[str, str]:
        """The range before and the report's own, in words."""
        return range_words(self.content, self.content.earlier), range_words(self.content, self.content.chunks)

    @property
    def states(self) -> list[tuple[State, int]]:
        """The number of chunks with each verdict, most severe first."""
        return count_states(self.content.chunks)

    @cached_property
    def strip(self) -> list[StripCell]:
        """The verdicts from left to right."""
        return [strip_cell(label, place) for label, place in zip(self.wide.labels, self.places, strict=True)]

    @cached_property
    def performance(self) -> list[Chart]:
        """The charts of the model's performance, each with realized and estimated values."""
        methods = dict.fromkeys(key.method for key in self.results if _is_performance(key))
        charts = (self._performance(method) for method in methods)
        return [chart for chart in charts if not chart.empty]

    @property
    def groups(self) -> list[ChartGroup]:
        """The charts of drift, quality and statistics; columns that drifted most come first."""
        groups: dict[tuple[bool, str], list[Chart]] = {}
        for key in self._drawn[: self.most_charts]:
            chart = self._chart(key)
            if not chart.empty:
                groups.setdefault((_is_of_model(key), key.subject), []).append(chart)
        return [
            ChartGroup("The model as a whole" if of_model else name, charts)
            for (of_model, name), charts in groups.items()
        ]

    @property
    def omitted(self) -> int:
        """How many charts are left out to limit the size."""
        return max(0, len(self._drawn) - self.most_charts)

    @property
    def flat(self) -> list[tuple[str, str]]:
        """The methods with constant results, each with its columns."""
        columns: dict[str, list[str]] = {}
        for key in self.results:
            if key in self._flat and not _is_performance(key):
                columns.setdefault(title(key.method), []).append(key.subject)
        return [(method, ", ".join(dict.fromkeys(names))) for method, names in columns.items()]

    @cached_property
    def heat(self) -> list[HeatRow]:
        """The drift of each column by place."""
        return heat_map(self.content.spec, self.columns[:MOST_COLUMNS], self.places)

    @property
    def detailed(self) -> bool:
        """Whether the cells of the heat map have titles."""
        return len(self.columns[:MOST_COLUMNS]) * len(self.places) <= MOST_CELLS

    @property
    def rows(self) -> list[tuple[str, ChunkView]]:
        """The chunks of the table with their labels; where there are too many, only those that are not ok."""
        chunks = list(zip(self.labels, self.content.chunks, strict=True))
        if len(chunks) <= self.most_rows:
            return chunks
        return [pair for pair in chunks if pair[1].verdict.state is not State.OK][: self.most_rows]

    @property
    def _drawn(self) -> list[SeriesKey]:
        """The series that have a chart."""
        ranks = {column: rank for rank, column in enumerate(self.columns)}
        drawn = [key for key in self.results if key not in self._flat and not _is_performance(key)]
        return sorted(drawn, key=lambda key: -1 if _is_of_model(key) else ranks.get(key.subject, len(ranks)))

    def _performance(self, method: str) -> Chart:
        realized = self._series("realized", SeriesKey(MODEL, ResultKind.REALIZED, method, None))
        estimated = self._series("estimated", SeriesKey(MODEL, ResultKind.ESTIMATED, method, None))
        return draw_chart(title(method), (realized, estimated), self.half, 152, provisional=self._provisional)

    def _chart(self, key: SeriesKey) -> Chart:
        words = title(key.method)
        heading = " ".join(part for part in (words[:1].upper() + words[1:], key.segment) if part)
        series, from_zero = self._series("value", key), key.kind is ResultKind.DRIFT
        return draw_chart(heading, (series,), self.third, 102, levels=("expected", "warn"), from_zero=from_zero)

    def _series(self, name: str, key: SeriesKey) -> Series:
        by_chunk = dict(self.results.get(key, ()))
        firsts = range(0, len(self.content.chunks), self.step)
        places = [[by_chunk[i] for i in range(first, first + self.step) if i in by_chunk] for first in firsts]
        return Series(name, [_farthest(results) for results in places])


def _results_by_series(chunks: Sequence[ChunkView]) -> dict[SeriesKey, list[tuple[int, Result]]]:
    """Return the results of each series, with the indices of their chunks."""
    by_series: dict[SeriesKey, list[tuple[int, Result]]] = {}
    for index, chunk in enumerate(chunks):
        for result in chunk.results:
            key = SeriesKey(result.subject, result.kind, str(result.method), result.segment)
            by_series.setdefault(key, []).append((index, result))
    return by_series


def _columns_by_drift(chunks: Sequence[ChunkView]) -> list[str]:
    """Return all columns, those whose drift lasted most often first."""
    columns = dict.fromkeys(r.subject for chunk in chunks for r in chunk.results if r.kind is ResultKind.DRIFT)
    lasting = Counter(column for chunk in chunks for column in chunk.verdict.drifted)
    return sorted(columns, key=lambda column: -lasting[column])


def _farthest(results: Sequence[Result]) -> Result | None:
    """Return the result farthest from the expected value; None without values."""
    distances = [(abs(r.value - (r.bounds.expected or 0.0)), r) for r in results if r.value is not None]
    return max(distances, key=lambda pair: pair[0])[1] if distances else None


def _is_of_model(key: SeriesKey) -> bool:
    """Return whether a series is about the model as a whole, and not about a column of the same name."""
    return is_of_model(key.kind, key.method)


def _is_performance(key: SeriesKey) -> bool:
    """Return whether a series is performance of the model on all rows."""
    is_performance = key.kind in (ResultKind.REALIZED, ResultKind.ESTIMATED)
    return is_performance and key.subject == MODEL and key.segment is None
