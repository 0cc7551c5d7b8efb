"""The page's facts: its newest verdicts, how many chunks have which, and its heat map."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

import pytest

from driftline.backtesting.backtest import backtest
from driftline.engine.evidence.no_evidence import NoEvidence
from driftline.engine.results import State
from driftline.engine.spec import Spec
from driftline.errors import NotFound
from driftline.report.document.page import ReportPage
from driftline.report.view import ChunkView
from driftline.store.versions.registry import Version
from monitoring.pages.models.model_page import Page, page_of
from monitoring.report.chunk_views import ModelStatus
from monitoring.report.model_events import ModelEvent
from tests.unit.backtesting.conftest import UNTIL, make_world
from tests.unit.monitoring.reports_builder import DAY, ORIGIN, SPEC, drift, estimated, realized, report


def page(*chunks: ChunkView) -> Page:
    return page_of(status(SPEC, chunks), {1: None})


FITTED = {
    "segments": {},
    "rows": 0,
    "chunks": 8,
    "since": ORIGIN,
    "until": ORIGIN,
    "evidence": None,
    "content_hash": "c",
}


def status(
    spec: Spec,
    chunks: Sequence[ChunkView],
    first_chunks: dict[int, datetime] | None = None,
    no_evidence: NoEvidence | None = None,
) -> ModelStatus:
    fitted = SimpleNamespace(**FITTED, no_evidence=no_evidence)
    version = cast("Version", SimpleNamespace(spec=spec, name="flights", number=1, fitted=fitted))
    return ModelStatus(version, datetime(2026, 2, 9, tzinfo=UTC), list(chunks), first_chunks or {})


def test_the_page_says_why_there_are_no_alerts_within_the_budget() -> None:
    """And nothing where the spec has no budget."""
    reason = NoEvidence("The reference covers 1 whole day.")
    assert page_of(status(SPEC, [], no_evidence=reason), {1: None}).visible == (
        "Bounds alone alert, without a budget of false alerts. The reference covers 1 whole day.",
    )
    without_budget = SPEC.model_copy(update={"alert_budget": None})
    assert page_of(status(without_budget, [], no_evidence=reason), {1: None}).visible == ()


def test_the_newest_closed_day_and_final_verdict_are_shown() -> None:
    html = page(
        report(0, realized(0.7)),
        report(1, realized(0.3), state=State.ALERT),
        report(2, estimated(0.6), state=State.PENDING_LABELS, labels_due=False, labelled=0),
        report(3, estimated(0.6), state=State.PENDING_LABELS, labels_due=False, closed=False, labelled=0),
    )
    assert html.newest is not None
    assert html.decided is not None
    assert (html.newest.label, html.decided.label) == ("3 Feb", "2 Feb")
    assert [(state, count) for _, state, count in html.states] == [
        (State.ALERT, 1),
        (State.PENDING_LABELS, 2),
        (State.OK, 1),
    ]
    assert html.number_names == ("F1", "Estimated F1")
    assert html.rows[2].numbers == ("–", "0.600")
    assert html.rows[2].labels == "0 %"


def test_columns_whose_drift_lasted_are_drawn() -> None:
    html = page(report(0, drift(0.9)), report(1, drift(0.9), drifted=("minutes",)))
    assert [column for column, _ in html.details] == ["minutes"]
    assert [dot.outside for dot in html.details[0][1].dots] == [True, True]


def test_hovering_a_chunk_shows_every_number_with_its_bounds() -> None:
    shown_page = page(
        report(0, realized(0.7), estimated(0.6), labelled=980), report(1, drift(0.9), drifted=("minutes",))
    )
    assert shown_page.hover["labels"] == ["1 Feb", "2 Feb"]
    assert shown_page.hover["starts"][1] == "2026-02-02T00:00:00Z"
    assert shown_page.hover["charts"][0][0] == [
        "Realized 0.7 from 1,000 rows",
        "Estimated 0.6 ± 0.03 from 1,000 rows",
        "Warning below 0.5",
        "Alert below 0.4",
        "98 % of 1,000 labels",
        "Verdict: OK",
    ]
    assert shown_page.hover["charts"][1][1][:2] == ["Jensen-Shannon distance 0.9 from 1,000 rows", "Warning above 0.2"]


def test_the_beginning_of_a_version_and_of_a_spec_revision_are_marked() -> None:
    chunks = [replace(report(day), spec_revision=1 + day // 3) for day in range(5)]
    marks = page_of(status(SPEC, chunks, {1: ORIGIN, 2: ORIGIN + 2 * DAY}), {1: None, 2: None}).marks
    assert [mark.text for mark in marks] == ["version 1", "version 2", "spec 2"]
    assert page_of(status(SPEC, chunks[:2], {1: ORIGIN}), {1: None}).marks == ()


def test_events_are_marked_in_their_chunk() -> None:
    """Several of one chunk together, and none that happened before or after the chunks."""
    hours = ((-1, "retraining"), (30, "retraining"), (31, "champion 2"), (24 * 9, "champion 3"))
    events = [ModelEvent(ORIGIN + hour * DAY / 24, text, f"{text} in words") for hour, text in hours]
    (mark,) = page_of(status(SPEC, [report(0), report(1)]), {1: None}, None, events).marks
    assert mark.text == "retraining, champion 2"
    assert mark.words.endswith(": retraining in words; champion 2 in words")


def test_a_segment_without_results_is_refused_with_those_there_are() -> None:
    with pytest.raises(NotFound, match="none in the spec"):
        page_of(status(SPEC, [report(0)]), {1: None}, "carrier=AA")


def test_a_model_without_chunks_has_a_page() -> None:
    html = page()
    assert (html.newest, html.decided, html.charts, html.states) == (None, None, (), [])
    assert html.advice[0].urgent


def test_both_heat_maps_agree() -> None:
    world = make_world()
    result = backtest(world, timestamp="when", label="churned", score="score", reference_until=UNTIL, chunk="1d")
    backtest_rows = {row.column: row for row in ReportPage(result.content).heat}
    dashboard_rows = {row.column: row for row in page_of(status(result.spec, result.chunks), {1: None}).heat}
    shared = backtest_rows.keys() & dashboard_rows.keys()
    assert shared == {"usage", "age", "plan", "prediction"}
    for column in shared:
        assert backtest_rows[column].cells == dashboard_rows[column].cells
    assert max(cell.ratio or 0.0 for cell in backtest_rows["usage"].cells) > 1
    assert any(cell.lasting for cell in dashboard_rows["usage"].cells)
