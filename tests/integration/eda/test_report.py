"""The page needs no other file, shows the exploration, and escapes its texts."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from eda.plots import MODULES, missing, plots, style
from eda.plots.style import Plot
from eda.quantities import QUANTITIES
from eda.report import render
from eda.statistics.exploration import Exploration
from tests.unit.eda.sample_records import explored, records

NOW = datetime(2026, 2, 1, 12, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def drawn(ordinary: Exploration) -> tuple[Plot, ...]:
    return plots(ordinary)


@pytest.fixture(scope="module")
def page(ordinary: Exploration, drawn: tuple[Plot, ...]) -> str:
    return render(ordinary, drawn, NOW)


def test_the_page_needs_nothing_from_elsewhere(page: str) -> None:
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len([source for source in sources if source.startswith("data:image/svg+xml;base64,")]) == len(MODULES)
    assert all(source.startswith(("data:", "#")) for source in sources)
    assert "<script" not in page
    assert not re.search(r"@import|url\(", page)


def test_links_within_the_page_have_targets(page: str) -> None:
    anchors = set(re.findall(r'href="#([^"]*)"', page))
    assert anchors <= set(re.findall(r'id="([^"]*)"', page))
    assert len(anchors) == 8


def test_the_page_names_range_time_and_units(page: str) -> None:
    for text in ("2026-01-01 to 2026-01-28", "28 days in UTC", "as loaded", "2026-02-01 12:30:00 UTC", "5,600"):
        assert text in page
    for column, quantity in QUANTITIES.items():
        assert f"{column}, {quantity.unit}" in page
    assert "simulated" not in page


@pytest.mark.parametrize(("capacity", "says"), [(1000, "the 1,000 of"), (100_000, "also use all records")])
def test_the_page_names_sampled_statistics(capacity: int, says: str, drawn: tuple[Plot, ...]) -> None:
    assert says in render(explored(records(7), 7, capacity), drawn, NOW)


def test_text_from_outside_is_escaped(ordinary: Exploration, drawn: tuple[Plot, ...]) -> None:
    assert "&lt;b&gt;all" in render(replace(ordinary, requested="<b>all</b>"), drawn, NOW)


def test_the_same_records_give_the_same_bytes(page: str, drawn: tuple[Plot, ...]) -> None:
    again = explored(records())
    assert style.drawn(missing.NAME, missing.TITLE, again, missing.draw).svg == drawn[-1].svg
    assert render(again, drawn, NOW) == page
