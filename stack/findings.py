"""What the monitor found, day by day, beside what was put in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Self

from rich.table import Table

from stack.plan import Plan

STYLES = {"ok": "green", "warn": "yellow", "alert": "bold red", "pending_labels": "cyan"}
MOST_NAMES = 3


@dataclass(frozen=True)
class Day:
    """One chunk of the monitor's answer: numbers are None where the monitor says none."""

    day: date
    rows: int
    labelled: int
    f1: float | None
    roc_auc: float | None
    estimated_roc_auc: float | None
    drifted: tuple[str, ...]
    verdict: str
    provisional: bool

    @classmethod
    def of(cls, chunk: Mapping[str, Any]) -> Self:
        """Read a chunk of `GET /models/<name>/chunks`."""
        values = {(one["kind"], one["method"]): one["value"] for one in chunk["results"] if one["subject"] == "model"}
        return cls(
            day=date.fromisoformat(chunk["start"][:10]),
            rows=chunk["rows"],
            labelled=chunk["labelled"],
            f1=values.get(("realized", "f1")),
            roc_auc=values.get(("realized", "roc_auc")),
            estimated_roc_auc=values.get(("estimated", "roc_auc")),
            drifted=tuple(chunk["drifted"]),
            verdict=chunk["verdict"],
            provisional=chunk["provisional"],
        )


def table_of(days: Sequence[Day], plan: Plan) -> Table:
    """Draw the days as a table; a rule stands before the first day with injected drift."""
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
        before_drift = plan.drift_first is not None and day.day == plan.drift_first - timedelta(days=1)
        table.add_row(*_cells(day), end_section=before_drift)
    return table


def _cells(day: Day) -> tuple[str, ...]:
    share = f"{day.labelled / day.rows:.0%}" if day.rows else "-"
    verdict = f"[{STYLES.get(day.verdict, 'white')}]{day.verdict}[/]" + (" (provisional)" if day.provisional else "")
    numbers = (_number(day.f1), _number(day.roc_auc), _number(day.estimated_roc_auc))
    return (day.day.isoformat(), f"{day.rows:,}", share, *numbers, _names(day.drifted), verdict)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _names(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def summary_of(days: Sequence[Day], plan: Plan, label_delay: int) -> list[str]:
    """Say in plain lines what was put in, and when it was warned of, alerted, and its labels complete."""
    alerts = [day.day for day in days if day.verdict == "alert"]
    if plan.drift_first is None:
        return [f"No drift was put in; {len(alerts)} of {len(days)} days alerted."]
    began = plan.drift_first
    after = [day for day in days if day.day >= began]
    early = sum(day.day < began and day.verdict == "alert" for day in days)
    return [
        f"Put in:         {plan.scenario.drift} drift of {plan.scenario.drift_column or 'all'} from {began} on",
        f"First warned:   {_first(after, ('warn', 'alert'), began)}",
        f"First alerted:  {_first(after, ('alert',), began)}",
        f"Labels of {began} complete: end of {began + timedelta(days=label_delay)}",
        f"False alerts before it: {early} of {sum(day.day < began for day in days)} days",
    ]


def _first(days: Iterable[Day], verdicts: Sequence[str], began: date) -> str:
    found = next((day.day for day in days if day.verdict in verdicts), None)
    return "never" if found is None else f"{found} (day {(found - began).days + 1} of the drift)"
