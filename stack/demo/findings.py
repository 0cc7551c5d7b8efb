"""The monitor's findings, day by day, beside the injected drifts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from rich.table import Table

from churn.columns import TRAILING_DAYS
from stack.demo.plan import DAY, Plan, PlannedDrift

STYLES = {"ok": "green", "warn": "yellow", "alert": "bold red", "pending_labels": "cyan"}
MOST_NAMES = 3


@dataclass(frozen=True)
class Day:
    """One chunk of the monitor's answer; a number is None where the monitor has none.

    `drift_seen` are the columns that drifted on this day, `drifted` those whose drift lasts.
    """

    day: date
    rows: int
    labelled: int
    f1: float | None
    roc_auc: float | None
    estimated_roc_auc: float | None
    drifted: tuple[str, ...]
    drift_seen: tuple[str, ...]
    verdict: str
    provisional: bool
    closed: bool

    @classmethod
    def of(cls, chunk: Mapping[str, Any]) -> Self:
        """Read a chunk of `GET /api/v1/models/<name>/chunks`."""
        values = {
            (result["kind"], result["method"]): result["value"]
            for result in chunk["results"]
            if result["subject"] == "model"
        }
        return cls(
            day=date.fromisoformat(chunk["start"][:10]),
            rows=chunk["rows"],
            labelled=chunk["labelled"],
            f1=values.get(("realized", "f1")),
            roc_auc=values.get(("realized", "roc_auc")),
            estimated_roc_auc=values.get(("estimated", "roc_auc")),
            drifted=tuple(chunk["drifted"]),
            drift_seen=tuple(chunk["drift_seen"]),
            verdict=chunk["verdict"],
            provisional=chunk["provisional"],
            closed=chunk["closed"],
        )


def table_of(days: Sequence[Day], plan: Plan) -> Table:
    """Draw the days as a table; a line separates the first day of each injected drift."""
    first_days = {plan.day(drift.first_day) for drift in plan.scenario.drifts}
    table = Table(header_style="bold", title="What the monitor found, by day (UTC)", title_justify="left")
    for name, justify in (
        ("day", "left"),
        ("rows", "right"),
        ("labels in", "right"),
        ("F1", "right"),
        ("AUC", "right"),
        ("estimated AUC", "right"),
        ("drifted columns", "left"),
        ("verdict", "left"),
    ):
        table.add_column(name, justify="right" if justify == "right" else "left")
    for day in days:
        table.add_row(*_cells(day), end_section=day.day + DAY in first_days)
    return table


def _cells(day: Day) -> tuple[str, ...]:
    share = f"{day.labelled / day.rows:.0%}" if day.rows else "-"
    suffix = " (provisional)" if day.closed else " (open, provisional)"
    verdict = f"[{STYLES.get(day.verdict, 'white')}]{day.verdict}[/]" + (suffix if day.provisional else "")
    numbers = (_number(day.f1), _number(day.roc_auc), _number(day.estimated_roc_auc))
    return (day.day.isoformat(), f"{day.rows:,}", share, *numbers, _drift(day), verdict)


def _drift(day: Day) -> str:
    """Name the columns whose drift lasts; if there are none, those that drifted, and why that is not enough."""
    if day.drifted or not day.drift_seen:
        return _names(day.drifted)
    return f"{'not lasting yet' if day.closed else 'not closed yet'}: {_names(day.drift_seen)}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _names(names: Sequence[str]) -> str:
    hidden = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {hidden} more" if hidden > 0 else "")


def summary_of(days: Sequence[Day], plan: Plan, label_delay: int) -> list[str]:
    """Return lines on each injected drift: when it was warned of and alerted, and when its labels were complete."""
    clean = [day for day in days if not _is_affected_by_drift(day.day, plan)]
    alerted = sum(day.verdict == "alert" for day in clean)
    without_drift = f"Days without drift, or its traces: {len(clean)}, of which {alerted} alerted"
    return [line for drift in plan.scenario.drifts for line in _lines_on(drift, days, plan, label_delay)] + [
        without_drift
    ]


def _is_affected_by_drift(day: date, plan: Plan) -> bool:
    """Return whether a drift is in the day's records, or in those of the days that its features look back to."""
    number = (day - plan.history_last).days
    return any(
        drift.first_day <= number and (drift.last_day is None or number < drift.last_day + TRAILING_DAYS)
        for drift in plan.scenario.drifts
    )


def _lines_on(drift: PlannedDrift, days: Sequence[Day], plan: Plan, label_delay: int) -> list[str]:
    began = plan.day(drift.first_day)
    last = plan.day(drift.last_day or plan.scenario.stream_days)
    during = [day for day in days if began <= day.day <= last]
    return [
        f"Put in:          {drift.kind} drift{f' of {drift.column}' if drift.column else ''} from {began} on",
        f"First warned:    {_first(during, ('warn', 'alert'), began)}",
        f"First alerted:   {_first(during, ('alert',), began)}",
        f"Labels complete: those of {began} at the end of {began + label_delay * DAY}",
    ]


def _first(days: Iterable[Day], verdicts: Sequence[str], began: date) -> str:
    first = next((day.day for day in days if day.verdict in verdicts), None)
    return "never" if first is None else f"{first} (day {(first - began).days + 1} of the drift)"
