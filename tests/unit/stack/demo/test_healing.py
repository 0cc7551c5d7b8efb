"""The demo of a healed drift: its steps in order, and what is said of the alert, the promotion and afterwards."""

from datetime import date, timedelta
from typing import Any

from stack.demo.client import DemoClient
from stack.demo.findings import Day
from stack.demo.healing import healing_lines, healing_steps
from stack.demo.plan import SCENARIOS, Plan

PLAN = Plan.ending(SCENARIOS["concept"], date(2026, 6, 30))
CHANGE = {
    "action": "promote",
    "version": 2,
    "replaced": 1,
    "changed_at": "2026-06-14T09:30:00Z",
    "changed_by": "retrain",
    "reason": "0.79 after 0.24, beyond the noise",
}


def day(number: int, roc_auc: float | None, verdict: str) -> Day:
    return Day(PLAN.day(number), 900, 900, None, roc_auc, None, (), (), verdict, provisional=False, closed=True)


def test_a_challenger_is_trained_between_two_parts_of_the_stream() -> None:
    ran: list[tuple[Any, ...]] = []
    steps = healing_steps(PLAN, 64, DemoClient("", ""), lambda *arguments: ran.append(arguments))
    for title, work in steps:
        if not title.startswith(("Stream", "Monitoring")):
            work(lambda *_: None)
    scripts = [arguments[0].removeprefix("pyspark/").removesuffix(".py") for arguments in ran]
    observed = ["prepare_data", "write_predictions"]
    assert scripts == ["prepare_data", "train_model", *observed, "retrain", *observed]
    assert ran[3][1:] == ("--start-date", str(PLAN.stream_first), "--end-date", str(PLAN.day(64)))
    assert ran[6][1:] == ("--start-date", str(PLAN.day(65)), "--end-date", str(PLAN.stream_last))


def test_both_parts_of_the_stream_have_the_same_world() -> None:
    first, second = PLAN.stream_request(1, 64), PLAN.stream_request(65, 80)
    assert (first["num_batches"], second["num_batches"]) == (64, 16)
    assert date.fromisoformat(second["start_date"]) == date.fromisoformat(first["start_date"]) + timedelta(days=64)
    assert {name: first[name] for name in ("seed", "subscribers", "drifts")} == {
        name: second[name] for name in ("seed", "subscribers", "drifts")
    }


def test_the_lines_tell_alert_comparison_and_performance() -> None:
    before = [
        day(1, 0.8, "ok"),
        day(3, 0.78, "alert"),
        day(9, 0.3, "alert"),
        day(10, 0.2, "alert"),
        day(64, None, "ok"),
    ]
    after = [day(65, 0.78, "ok"), day(66, 0.8, "ok")]
    lines = "\n".join(healing_lines(PLAN, before, after, CHANGE))
    assert f"concept drift of size 1 from {PLAN.day(8)} on" in lines
    assert f"alerted 2 days, first {PLAN.day(9)}" in lines
    assert "beyond the noise" in lines
    assert "version 2 in place of 1, 2026-06-14 09:30 UTC, by retrain" in lines
    assert "ROC AUC 0.790 before the drift, 0.250 with it" in lines
    assert "ROC AUC 0.790 after the promotion" in lines
