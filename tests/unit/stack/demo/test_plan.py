"""A demo's plan is chosen once and kept."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from stack.demo.plan import Plan, Scenario
from stack.errors import StackError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_stream_ends_yesterday_and_follows_the_history(tmp_path: Path) -> None:
    plan = Plan.load_or_create(tmp_path / "demo.json", Scenario(), NOON)
    assert plan.stream_last == date(2026, 2, 28)
    assert plan.stream_first == date(2026, 1, 30)
    assert (plan.stream_first - plan.history_last).days == 1
    assert (plan.history_last - plan.history_first).days == 89
    assert plan.day(15) == date(2026, 2, 13)


def test_a_saved_plan_stays_on_later_days(tmp_path: Path) -> None:
    first = Plan.load_or_create(tmp_path / "demo.json", Scenario(), NOON)
    assert Plan.load_or_create(tmp_path / "demo.json", Scenario(), datetime(2027, 1, 1, tzinfo=UTC)) == first


def test_another_scenario_on_existing_data_is_refused(tmp_path: Path) -> None:
    Plan.load_or_create(tmp_path / "demo.json", Scenario(), NOON)
    with pytest.raises(StackError, match="make clean"):
        Plan.load_or_create(tmp_path / "demo.json", Scenario(subscribers=5), NOON)


def test_the_request_names_the_drift_and_its_day() -> None:
    plan = Plan.ending(Scenario(), date(2026, 2, 28))
    assert plan.stream_request()["drifts"] == [
        {"kind": "unit", "size": 60.0, "start": "2026-02-13", "column": "DP_MOC_DURATION"}
    ]
    assert Plan.ending(Scenario(drifts=()), date(2026, 2, 28)).stream_request()["drifts"] == []


def test_a_scenario_may_fix_its_days() -> None:
    plan = Plan.ending(Scenario(last_day="2026-06-30"), date(2026, 11, 1))
    assert plan.stream_last == date(2026, 6, 30)


def test_a_steps_arguments_have_no_blanks_and_follow_one_another() -> None:
    plan = Plan.ending(Scenario(), date(2026, 2, 28))
    assert plan.history_arguments == ("--days", "90", "--subscribers", "1000", "--until", "2026-01-29", "--seed", "7")
    assert plan.history_days == ("--start-date", "2025-11-01", "--end-date", "2026-01-29")
    assert plan.streamed_days == ("--start-date", "2026-01-30", "--end-date", "2026-02-28")
