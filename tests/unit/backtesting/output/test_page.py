import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser

import pandas as pd
import pytest

from driftline.backtesting.backtest import backtest
from driftline.backtesting.output.result import BacktestResult
from tests.unit.backtesting.conftest import UNTIL


@pytest.fixture(scope="module")
def result(world: pd.DataFrame) -> BacktestResult:
    renamed = world.rename(columns={"usage": "<b>usage</b>"})
    return backtest(renamed, timestamp="when", label="churned", score="score", reference_until=UNTIL, chunk="1d")


class Reader(HTMLParser):
    """Collects the addresses that a page would request, and whether its tags are closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.requested: list[str] = []
        self.open: list[str] = []
        self.unbalanced: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.requested += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "srcset")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Ignore a tag that closes itself."""

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)


def test_the_page_requests_nothing(result: BacktestResult) -> None:
    page = result.to_html()
    reader = Reader(page)
    assert (reader.requested, reader.unbalanced, reader.open) == ([], [], [])
    assert not re.search(r"url\(|@import|<script|https?://", page)


def test_names_from_the_data_are_escaped(result: BacktestResult) -> None:
    page = result.to_html()
    assert "<b>usage" not in page
    assert "&lt;b&gt;usage&lt;/b&gt;" in page


def test_the_page_has_every_part(result: BacktestResult) -> None:
    page = result.to_html()
    for heading in ("Verdict by chunk", "Performance", "Drift by column", "Chunks", "What was inferred", "How to read"):
        assert f"<h2>{heading}" in page
    for inference in result.inferred:
        assert inference.what in page
    assert page.count('<tr><th scope="row">2026-01-') == len(result.chunks)
    assert "prefers-color-scheme: dark" in page


@pytest.mark.slow
@pytest.mark.parametrize("chunks", [1, 2, 300, 9_000])
def test_the_page_stays_below_a_megabyte(chunks: int, result: BacktestResult) -> None:
    hour = timedelta(hours=1)
    many = tuple(
        replace(
            result.chunks[n % 8], start=result.chunks[0].start + n * hour, end=result.chunks[0].start + (n + 1) * hour
        )
        for n in range(chunks)
    )
    page = replace(result, chunks=many).to_html()
    assert len(page.encode()) < 1_000_000
    assert "ROC AUC" in page
