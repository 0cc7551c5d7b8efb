"""What a console and a notebook show of the public objects: short texts and small tables."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

import driftline as dl
from driftline.engine.results import ResultKind
from tests.unit.engine.frame_builders import scored_rows

SPEC = {"columns": ["usage", {"name": "plan", "kind": "categorical"}], "segments": ["plan"], "minimum_rows": 20}
START = datetime(2026, 1, 1, tzinfo=UTC)
REASONS = ("F1 0.61 < 0.64.", "Drift of usage.")


def view(*reasons: str, results: int = 0) -> dl.ChunkView:
    verdict = dl.Verdict(dl.State.WARN, reasons, provisional=False)
    numbers = tuple(dl.Result("usage", ResultKind.DRIFT, "psi", 0.1, rows=3, state=dl.State.OK) for _ in range(results))
    end = START + timedelta(days=1)
    return dl.ChunkView(START, end, 1_200, 900, closed=True, labels_due=True, verdict=verdict, results=numbers)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return scored_rows(2_400, 12)


@pytest.fixture(scope="module")
def fitted(rows: pd.DataFrame) -> dl.FittedMonitor:
    return dl.Monitor(SPEC).fit(rows[:1600])


def test_the_types_of_public_results_are_public(rows: pd.DataFrame, fitted: dl.FittedMonitor) -> None:
    assert {"ChunkView", "ChunkSummary"} <= set(dir(dl))
    assert type(fitted.summarize(rows[:200])) is dl.ChunkSummary


def test_a_chunk_is_one_line_with_its_first_reason() -> None:
    assert repr(view(*REASONS, results=500)) == "ChunkView(2026-01-01 00:00 1,200 rows warn: F1 0.61 < 0.64.)"
    assert repr(view()) == "ChunkView(2026-01-01 00:00 1,200 rows warn)"


def test_a_chunk_is_a_table_of_one_row_in_a_notebook() -> None:
    html = view(*REASONS, results=500)._repr_html_()
    assert html.count("<tr>") == 2
    assert "<td>1,200</td><td>75 %</td><td>warn</td><td>F1 0.61 &lt; 0.64.</td>" in html
    assert "Drift of usage" not in html


def test_an_evaluated_chunk_counts_its_results_and_lists_the_first(
    rows: pd.DataFrame, fitted: dl.FittedMonitor
) -> None:
    chunk = fitted.evaluate(rows[1600:1800])
    assert repr(chunk).startswith("EvaluatedChunk(2026-01-09 00:00 200 rows, 200 labelled, ")
    assert f"{len(chunk.results)} results: " in repr(chunk)
    assert len(repr(chunk)) < 200
    html = chunk._repr_html_()
    assert html.count("<tr>") == 1 + min(100, len(chunk.results))
    assert "<td>nan</td>" not in html
    assert repr(dl.EvaluatedChunk(chunk.chunk)) == "EvaluatedChunk(2026-01-09 00:00 0 rows, 0 labelled, 0 results)"


def test_a_monitor_is_a_table_of_its_spec_in_a_notebook(fitted: dl.FittedMonitor) -> None:
    for monitor in (dl.Monitor(SPEC), fitted):
        html = monitor._repr_html_()
        assert html.startswith(f"<p>{monitor!r}</p><table>")
        assert "<td>columns</td><td>usage, plan</td>" in html
        assert len(html) < 2_000


def test_a_summary_shows_its_counts(rows: pd.DataFrame, fitted: dl.FittedMonitor) -> None:
    assert repr(fitted.summarize(rows[:200])) == "ChunkSummary(200 rows, 200 labelled)"
