"""What was found is held against what was put in."""

import io
from datetime import date, timedelta
from typing import Any

from rich.console import Console

from stack.demo.findings import Day, summary_of, table_of
from stack.demo.plan import Plan, PlannedDrift, Scenario

DRIFT = PlannedDrift("unit", 60.0, 3, None, "DP_MOC_DURATION")
PLAN = Plan.ending(Scenario(stream_days=4, drifts=(DRIFT,)), date(2026, 2, 2))
DRIFTED = ("M_Out_Call_Time", "a", "b", "c", "d")


def chunk(number: int, verdict: str, f1: float | None = 0.5) -> dict[str, Any]:
    day = PLAN.stream_first + timedelta(days=number)
    results = [{"subject": "model", "kind": "realized", "method": "f1", "value": f1}]
    return {
        "start": f"{day}T00:00:00+00:00", "rows": 200, "labelled": 150, "verdict": verdict, "provisional": f1 is None,
        "drifted": list(DRIFTED) if verdict == "alert" else [], "drift_seen": list(DRIFTED), "closed": True,
        "results": results,
    }  # fmt: skip


def days(*verdicts: str) -> list[Day]:
    return [Day.of(chunk(number, verdict)) for number, verdict in enumerate(verdicts)]


def test_a_drift_is_dated_from_its_first_day() -> None:
    output = "\n".join(summary_of(days("ok", "ok", "warn", "alert"), PLAN, 3))
    assert "unit drift of DP_MOC_DURATION from 2026-02-01 on" in output
    assert "First warned:    2026-02-01 (day 1 of the drift)" in output
    assert "First alerted:   2026-02-02 (day 2 of the drift)" in output
    assert "those of 2026-02-01 at the end of 2026-02-04" in output
    assert "traces: 2, of which 0 alerted" in output


def test_an_alert_before_the_drift_is_a_false_alert() -> None:
    output = "\n".join(summary_of(days("alert", "ok", "ok", "ok"), PLAN, 3))
    assert "First alerted:   never" in output
    assert "traces: 2, of which 1 alerted" in output


def test_without_drift_every_alert_is_counted() -> None:
    plan = Plan.ending(Scenario(drifts=()), date(2026, 2, 28))
    assert summary_of(days("ok", "alert"), plan, 3) == ["Days without drift, or its traces: 2, of which 1 alerted"]


def test_a_day_that_looks_back_into_the_drift_is_not_clean() -> None:
    brief = Scenario(stream_days=20, drifts=(PlannedDrift("concept", 1.0, 3, 4),))
    output = summary_of([], Plan.ending(brief, date(2026, 2, 18)), 3)
    assert output[0] == "Put in:          concept drift from 2026-02-01 on"
    all_days = [Day.of(chunk(number, "ok")) for number in range(20)]
    assert summary_of(all_days, Plan.ending(brief, date(2026, 2, 18)), 3)[-1].startswith(
        "Days without drift, or its traces: 12,"
    )


def test_a_missing_number_is_a_dash_and_many_names_are_counted() -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table_of([Day.of(chunk(0, "pending_labels", None)), *days("alert")], PLAN))
    text = console.export_text()
    assert "75%" in text
    assert "M_Out_Call_Time, a, b and 2 more" in text
    assert "pending_labels (provisional)" in text
    assert "   - " in text


def test_short_drift_and_open_days_are_marked() -> None:
    closed, still_open = chunk(0, "ok"), chunk(1, "pending_labels", None) | {"closed": False}
    lines = drawn([Day.of(closed), Day.of(still_open), Day.of(chunk(2, "ok") | {"drift_seen": []})])
    assert "not lasting yet: M_Out_Call_Time, a, b and 2 more" in lines[0]
    assert "not closed yet: M_Out_Call_Time" in lines[1]
    assert "pending_labels (open, provisional)" in lines[1]
    assert "yet" not in lines[2]


def drawn(days: list[Day]) -> list[str]:
    """Draw the table; give the line of each day."""
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table_of(days, PLAN))
    return [line for line in console.export_text().splitlines() if str(PLAN.stream_first.year) in line]
