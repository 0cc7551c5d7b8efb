"""A row of the overview: since when its state lasts, how many of the due labels are in, and why it is there."""

from typing import Any

import pytest

from driftline.engine.chunking.chunks import Chunk
from driftline.engine.results import State
from driftline.store.version_key import VersionKey
from driftline.store.versions.model_list import ModelSummary
from monitoring.pages.overview_page import ModelRow, OverviewPage, overview_page
from monitoring.report.overview import Attention, ModelOverview, Overview, PendingCount, RecentChunk
from tests.unit.monitoring.reports_builder import DAY, ORIGIN, SPEC

NOW = ORIGIN + 10 * DAY


def recent(day: int, state: State, rows: int = 100, labelled: int = 100, *, closed: bool = True) -> RecentChunk:
    start = ORIGIN + day * DAY
    chunk, reasons = Chunk(start, start + DAY), (f"Why {state}.", "And why else.")
    return RecentChunk(chunk, state, not closed, closed, reasons[0], rows, labelled, NOW, reasons[1])


def row(*chunks: RecentChunk, **given: Any) -> ModelRow:
    shown_page = page(*chunks, **given)
    return (*shown_page.urgent, *shown_page.not_urgent)[0]


def page(
    *chunks: RecentChunk, attention: Attention = Attention.NONE, failed: int = 0, version: int | None = 1
) -> OverviewPage:
    spec = SPEC.model_dump(mode="json")
    summary = ModelSummary(1, "flights", (1,), ORIGIN, version, spec, period="day", newest_chunk=ORIGIN)
    state = chunks[-1].state if chunks else State.NO_DATA
    model = ModelOverview(summary, state, attention, False, PendingCount(0, failed), None, NOW)
    return overview_page(Overview([model], [model], {VersionKey(1, 1): chunks}, 1, 1, 1, NOW))


def test_a_state_lasts_since_its_first_closed_chunk() -> None:
    states = (State.OK, State.ALERT, State.ALERT)
    model_row = row(*(recent(day, state) for day, state in enumerate(states)), recent(3, State.WARN, closed=False))
    assert (model_row.since, model_row.lasting, model_row.whole_strip) == ("2 Feb", 2, False)
    assert model_row.reason == "Why alert. And why else."
    assert [cell.provisional for cell in model_row.cells] == [False, False, False, True]
    always = row(*(recent(day, State.OK) for day in range(3)))
    assert (always.lasting, always.whole_strip) == (3, True)


def test_coverage_is_of_the_labels_that_are_due() -> None:
    due = row(recent(0, State.OK, labelled=90), recent(1, State.OK), recent(9, State.PENDING_LABELS, labelled=0))
    assert due.coverage is not None
    assert (due.coverage.share, due.coverage.rows, due.coverage.enough) == (0.95, 200, True)
    assert row(recent(9, State.PENDING_LABELS, labelled=0)).coverage is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"attention": Attention.NOT_STARTED}, "No predictions have come yet."),
        ({"attention": Attention.NOT_STARTED, "version": None}, "No version is ready."),
        ({"attention": Attention.FAILED, "failed": 2}, "2 chunks could not be computed."),
    ],
)
def test_a_model_that_has_no_verdict_says_why(given: dict[str, Any], reason: str) -> None:
    assert row(**given).reason == reason


def test_models_that_need_nobody_are_apart() -> None:
    assert [len(page().urgent), len(page().not_urgent), page().in_need] == [0, 1, 0]
    urgent = page(attention=Attention.WARN)
    assert [len(urgent.urgent), len(urgent.not_urgent), urgent.in_need] == [1, 0, 1]
    assert Attention.INSUFFICIENT.is_needed
    assert not Attention.ACKNOWLEDGED.is_needed
