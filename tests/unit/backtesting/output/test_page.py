import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pandas as pd
import pytest

from driftline.backtesting.backtest import backtest
from driftline.backtesting.output.charts import Axis, Scale, Series, draw
from driftline.backtesting.output.result import BacktestResult
from driftline.engine.results import Bounds, Result, ResultKind, State
from tests.unit.backtesting.conftest import UNTIL


@pytest.fixture(scope="module")
def judged(world: pd.DataFrame) -> BacktestResult:
    named = world.rename(columns={"usage": "<b>usage</b>"})
    return backtest(named, timestamp="when", label="churned", score="score", reference_until=UNTIL, chunk="1d")


class Reader(HTMLParser):
    """Collects what a page would ask for, and whether its tags close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.asked += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "srcset")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself leaves nothing open."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)


def test_the_page_asks_nobody_for_anything(judged: BacktestResult) -> None:
    page = judged.to_html()
    reader = Reader(page)
    assert (reader.asked, reader.unbalanced, reader.open) == ([], [], [])
    assert not re.search(r"url\(|@import|<script|https?://", page)


def test_names_from_the_data_are_text(judged: BacktestResult) -> None:
    page = judged.to_html()
    assert "<b>usage" not in page
    assert "&lt;b&gt;usage&lt;/b&gt;" in page


def test_the_page_has_every_part(judged: BacktestResult) -> None:
    page = judged.to_html()
    for heading in ("Verdict by chunk", "Performance", "Drift by column", "Chunks", "What was inferred", "How to read"):
        assert f"<h2>{heading}" in page
    for one in judged.inferred:
        assert one.what in page
    assert page.count('<tr><th scope="row">2026-01-') == len(judged.chunks)
    assert "prefers-color-scheme: dark" in page


@pytest.mark.parametrize("chunks", [1, 2, 300, 9_000])
def test_the_page_stays_below_a_megabyte(chunks: int, judged: BacktestResult) -> None:
    hour = timedelta(hours=1)
    many = tuple(
        replace(
            judged.chunks[n % 8], start=judged.chunks[0].start + n * hour, end=judged.chunks[0].start + (n + 1) * hour
        )
        for n in range(chunks)
    )
    page = replace(judged, chunks=many).to_html()
    assert len(page.encode()) < 1_000_000
    assert "ROC AUC" in page


def number(value: float | None) -> Result:
    return Result("model", ResultKind.REALIZED, "f1", value, 100, State.OK, Bounds(lower=0.5, expected=0.7))


def test_a_line_has_a_gap_where_there_is_no_value_and_a_mark_where_it_is_outside() -> None:
    results = [number(0.7), number(0.6), None, number(None), number(0.4)]
    chart = draw("F1", [Series("realized", results)], Axis("abcde", 500), 120)
    assert chart is not None
    assert chart.lines[0][1].count("M") == 2
    assert [dot.outside for dot in chart.dots] == [False, False, True]
    assert chart.note == "1× outside"
    assert [level.name for level in chart.levels] == ["expected", "bound"]


def test_a_bound_is_drawn_as_high_as_each_chunk_has_it_and_not_where_there_is_none() -> None:
    bounds = [Bounds(lower=0.5), Bounds(lower=0.5), Bounds(lower=0.4), None, Bounds(lower=0.5)]
    results = [replace(number(0.7), bounds=one) if one else None for one in bounds]
    chart = draw("F1", [Series("realized", results)], Axis("abcde", 500), 120)
    assert chart is not None
    (level,) = chart.levels
    assert re.sub(r"[\d. ]+", "", level.path) == "MHVHMH"
    assert level.end.text == "0.5"
    assert chart.dots[2].outside is False


def test_a_loss_has_its_bound_above() -> None:
    loss = replace(number(0.7), bounds=Bounds(upper=0.9))
    chart = draw("Log loss", [Series("realized", [loss])], Axis("a", 500), 120)
    assert chart is not None
    assert [(level.name, level.end.text) for level in chart.levels] == [("bound", "0.9")]
    assert chart.levels[0].end.at < chart.dots[0].y


def test_nothing_is_drawn_of_a_number_that_no_chunk_has() -> None:
    assert draw("F1", [Series("realized", [None, number(None)])], Axis("ab", 500), 120) is None


def test_a_scale_of_one_value_has_room_and_round_ticks() -> None:
    scale = Scale.around([0.25], 120)
    assert scale.low < 0.25 < scale.high
    assert all(float(tick.text) == pytest.approx(round(float(tick.text), 3)) for tick in scale.ticks)
