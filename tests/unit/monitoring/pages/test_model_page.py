"""The page's facts: its newest verdicts, how many chunks have which, and its heat map."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import cast

from driftline.backtesting.backtest import backtest
from driftline.backtesting.output.page import BacktestPage
from driftline.engine.results import State
from driftline.report.view import ChunkView
from driftline.store.registry import Version
from monitoring.pages.model_page import Page, page_of
from tests.unit.backtesting.conftest import UNTIL, make_world
from tests.unit.monitoring.reports_builder import SPEC, drift, estimated, realized, report

VERSION = cast("Version", SimpleNamespace(spec=SPEC, name="flights", number=1))


def page(*chunks: ChunkView) -> Page:
    return page_of(VERSION, (1,), datetime(2026, 2, 9, tzinfo=UTC), chunks)


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


def test_a_model_without_chunks_has_a_page() -> None:
    html = page()
    assert (html.newest, html.decided, html.charts, html.states) == (None, None, (), [])
    assert html.advice[0].urgent


def test_both_heat_maps_agree() -> None:
    world = make_world()
    result = backtest(world, timestamp="when", label="churned", score="score", reference_until=UNTIL, chunk="1d")
    backtest_rows = {row.column: row for row in BacktestPage(result).heat}
    version = cast("Version", SimpleNamespace(spec=result.spec, name="churn", number=1))
    dashboard_rows = {row.column: row for row in page_of(version, (1,), result.chunks[-1].end, result.chunks).heat}
    shared = backtest_rows.keys() & dashboard_rows.keys()
    assert shared == {"usage", "age", "plan", "prediction"}
    for column in shared:
        assert backtest_rows[column].cells == dashboard_rows[column].cells
    assert max(cell.ratio or 0.0 for cell in backtest_rows["usage"].cells) > 1
    assert any(cell.lasting for cell in dashboard_rows["usage"].cells)
