"""The words for states, periods and lines, the same on pages, in plots and in advice. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from driftline.engine.results import State
from driftline.engine.spec import Period
from driftline.engine.verdicts.findings import STATES_BY_SEVERITY


@dataclass(frozen=True, slots=True)
class StateWords:
    """A state for people: a short word, a sign (color alone must not carry the meaning), and what it means."""

    word: str
    sign: str
    meaning: str


STATE_WORDS: dict[State, StateWords] = {
    State.OK: StateWords("OK", "✓", "Labels are in, and no finding warns."),
    State.WARN: StateWords("Warning", "▲", "A finding warns; its reason says what is outside its bounds."),
    State.ALERT: StateWords(
        "Alert",
        "✕",
        "The evidence of a change is strong enough for the alert budget, performance is beyond its alert bounds, a "
        "column is lost, or drift lasts and the spec alerts on it; act.",
    ),
    State.PENDING_LABELS: StateWords(
        "Waiting for labels", "◷", "Nothing alerts, but only labels can show that the model is healthy."
    ),
    State.INSUFFICIENT: StateWords("Too little data", "∅", "Too few rows, or rows of one class only."),
    State.NO_DATA: StateWords("No data", "○", "There are no predictions."),
    State.ERROR: StateWords("Failed", "!", "The computation failed; it is retried."),
}
MOST_SEVERE_FIRST = (*reversed(STATES_BY_SEVERITY), State.NO_DATA)
"""All states in the order in which they are listed."""

PERIOD_WORDS: dict[Period, str] = {
    Period.HOUR: "hour",
    Period.DAY: "day",
    Period.WEEK: "week",
    Period.MONTH: "month",
    Period.QUARTER: "quarter",
}
LINE_WORDS = {
    "value": "value",
    "realized": "realized, from labels",
    "estimated": "estimated, without labels, ± 3 standard errors",
    "warn": "warning bound",
    "alert": "alert bound",
    "expected": "mean of the reference",
}
"""What the lines of a chart are, for its legend."""

_LABEL_FORMATS = {Period.HOUR: "%-d %b %H:%M", Period.MONTH: "%b %Y", Period.QUARTER: "%b %Y"}


def period_label(start: datetime, period: Period, zone: ZoneInfo) -> str:
    """Return a short label for a chunk of one period: its day, or its first hour, day or month."""
    return start.astimezone(zone).strftime(_LABEL_FORMATS.get(period, "%-d %b"))


def dated_label(start: datetime, period: Period, zone: ZoneInfo) -> str:
    """Return a label for a chunk of one period with its year, where chunks of other years may stand beside it."""
    if period in (Period.MONTH, Period.QUARTER):
        return period_label(start, period, zone)
    return start.astimezone(zone).strftime("%-d %b %Y, %H:%M" if period is Period.HOUR else "%-d %b %Y")


def iso_labels(starts: Sequence[datetime]) -> list[str]:
    """Return the starts in ISO 8601 and UTC, as dates where each of them is at midnight."""
    midnights = all((start.hour, start.minute, start.second) == (0, 0, 0) for start in starts)
    return [start.strftime("%Y-%m-%d" if midnights else "%Y-%m-%d %H:%M") for start in starts]
