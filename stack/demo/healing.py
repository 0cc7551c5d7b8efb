"""The demo of a concept drift that is healed: alert, challenger, comparison, promotion, and performance afterwards."""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from rich.table import Table

from stack.console import Advance, print_line, print_table
from stack.demo.client import DemoClient
from stack.demo.findings import Day
from stack.demo.plan import DAY, Plan
from stack.errors import StackError

Steps = list[tuple[str, Callable[[Advance], None]]]
RunJob = Callable[..., None]
"""Runs a Spark job of the checkout with its arguments."""
WEEK = 7


def healing_steps(plan: Plan, retrain_day: int, client: DemoClient, run_job: RunJob) -> Steps:
    """Return the steps after the history is loaded: two parts of the stream, and a retraining between them."""
    return [
        ("Prepared data of the history", lambda _: run_job("pyspark/prepare_data.py", *plan.history_days)),
        ("Churn model and its frozen reference", lambda _: run_job("pyspark/train_model.py", *plan.history_days)),
        *_observed(plan, client, run_job, (1, retrain_day)),
        ("Retraining, since the alert lasts", lambda _: run_job("pyspark/retrain.py")),
        *_observed(plan, client, run_job, (retrain_day + 1, plan.scenario.stream_days)),
    ]


def _observed(plan: Plan, client: DemoClient, run_job: RunJob, days: tuple[int, int]) -> Steps:
    """Return the steps that stream days, predict them with the champion, and monitor it."""
    arguments, span = plan.days_arguments(*days), f"days {days[0]} to {days[1]}"
    return [
        (f"Stream of {span}", lambda advance: client.stream(plan, advance, days)),
        (f"Prepared data of {span}", lambda _: run_job("pyspark/prepare_data.py", *arguments)),
        (f"Predictions of {span}", lambda _: run_job("pyspark/write_predictions.py", *arguments)),
        (f"Monitoring of {span}", lambda _: client.compute()),
    ]


def show_healing(plan: Plan, client: DemoClient) -> None:
    """Print the performance of both versions by week, and how the drift was healed.

    Raises:
        StackError: no challenger was promoted.
    """
    roles = client.roles()
    promoted = [change for change in roles["changes"] if change["action"] == "promote" and change["replaced"]]
    if not promoted:
        raise StackError("No challenger was promoted; `driftline models retrainings churn` says why.")
    change = promoted[-1]
    before = client.findings(plan, change["replaced"])
    after = client.findings(plan, change["version"])
    print_table(_table(plan, {change["replaced"]: before, change["version"]: after}))
    for line in healing_lines(plan, before, after, change):
        print_line(line)


def healing_lines(plan: Plan, before: Sequence[Day], after: Sequence[Day], change: dict[str, Any]) -> list[str]:
    """Return lines on the drift, the alert, the comparison and the performance before and after."""
    (drift, *_) = plan.scenario.drifts
    began = plan.day(drift.first_day)
    alerts = [day.day for day in before if day.verdict == "alert" and day.day >= began]
    of_old, of_new = change["replaced"], change["version"]
    return [
        f"Injected:        concept drift of size {drift.size:g} from {began} on",
        f"Alert:           version {of_old} alerted {len(alerts)} days, first {min(alerts, default='never')}",
        f"Comparison:      {change['reason']}",
        f"Promotion:       version {of_new} in place of {of_old}, {change['changed_at'][:16].replace('T', ' ')} UTC, "
        f"by {change['changed_by']}; `driftline models rollback churn` goes back",
        f"Version {of_old}:       ROC AUC {_mean(before, lambda day: day.day < began)} before the drift, "
        f"{_mean(before, lambda day: day.day >= began)} with it",
        f"Version {of_new}:       ROC AUC {_mean(after, lambda day: True)} after the promotion, with the same drift",
    ]


def _mean(days: Sequence[Day], selected: Callable[[Day], bool]) -> str:
    values = [day.roc_auc for day in days if selected(day) and day.roc_auc is not None]
    return f"{fmean(values):.3f}" if values else "-"


def _table(plan: Plan, of_version: dict[int, Sequence[Day]]) -> Table:
    """Draw both versions side by side, by week of the stream."""
    table = Table(header_style="bold", title="Realized ROC AUC and alerts by week (UTC)", title_justify="left")
    table.add_column("week from")
    for version in of_version:
        table.add_column(f"version {version}: AUC", justify="right")
        table.add_column("alerts", justify="right")
    for number in range(1, plan.scenario.stream_days + 1, WEEK):
        start = plan.day(number)
        cells = []
        for days in of_version.values():
            week = [day for day in days if start <= day.day < start + WEEK * DAY]
            alerts = sum(day.verdict == "alert" for day in week)
            cells += [_mean(week, lambda day: True), str(alerts) if week else "-"]
        table.add_row(start.isoformat(), *cells)
    return table
