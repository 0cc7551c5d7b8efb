"""The words of alerts, with the names of states and periods that pages use. No I/O here."""

from collections.abc import Iterator
from datetime import datetime

from driftline.engine.number_format import percent, readable
from driftline.engine.results import State
from driftline.report.wording import PERIOD_WORDS, STATE_WORDS, period_label
from monitoring.alerts.messages.alert import Alert, AlertKind, Delivery
from monitoring.incidents.standing import Severity

MOST_REASONS = 5
KIND_WORDS = {
    AlertKind.OPENED: "New incident",
    AlertKind.WORSE: "Worse",
    AlertKind.BETTER: "Better",
    AlertKind.REVISED: "Revised",
    AlertKind.RESOLVED: "Resolved: later chunks have outweighed it",
    AlertKind.WITHDRAWN: "Withdrawn: after late labels or another spec, no chunk is in trouble",
    AlertKind.MERGED: "Merged into an earlier incident; its messages go on",
    AlertKind.TEST: "A test of this channel; nothing has happened",
}


def title(alert: Alert) -> str:
    """Return the title of the first message about an incident: `churn: Alert since 12 May 2026 (incident 7)`."""
    if alert.kind is AlertKind.TEST:
        return "Driftline: a test of this channel"
    return f"{alert.model}: {severity_word(alert.worst)} since {_day(alert, alert.since)} (incident {alert.incident})"


def digest_title(delivery: Delivery) -> str:
    """Return the title of a message, or of a digest."""
    return delivery.title if len(delivery.alerts) == 1 else f"Driftline: {len(delivery.alerts)} alerts"


def headline(alert: Alert) -> str:
    """Return what happened, in one line: `churn, incident 7: worse, Alert (was Warning)`."""
    if alert.kind is AlertKind.TEST:
        return KIND_WORDS[alert.kind]
    words = [KIND_WORDS[alert.kind]]
    if not alert.kind.ends:
        previous = alert.severity_before
        was = f" (was {severity_word(previous)})" if previous and previous is not alert.severity else ""
        words.append(f"{severity_word(alert.severity)}{was}")
    return f"{alert.model}, incident {alert.incident}: {', '.join(words)}"


def severity_word(severity: Severity) -> str:
    """Return the word that pages have for the state of the same name."""
    return STATE_WORDS[State(severity)].word


def facts(alert: Alert) -> Iterator[tuple[str, str]]:
    """Yield what a message says about an incident: a name and its text."""
    yield "Model", f"{alert.model}, version {alert.version}"
    if alert.owner:
        yield "Owner", alert.owner
    if alert.assigned_to:
        yield "Assigned", alert.assigned_to
    for place, reason in enumerate(_reasons(alert)):
        yield ("What" if place == 0 else ""), reason
    yield (
        "Since",
        f"{_day(alert, alert.since)}, last {PERIOD_WORDS[alert.period]} {_day(alert, alert.last)} ({alert.time_zone})",
    )
    yield "How sure", _certainty(alert)
    yield "Rows", readable(alert.rows, 15)
    if alert.columns:
        yield "Columns", ", ".join(alert.columns)
    if alert.segments:
        yield "Segments", ", ".join(alert.segments)
    if alert.incident_url and alert.chunks_url:
        yield "Look at", alert.incident_url
        yield "Charts", alert.chunks_url


def text(delivery: Delivery) -> str:
    """Return a message as plain text."""
    parts = []
    for alert in delivery.alerts:
        lines = [
            headline(alert),
            *(f"{name + ':':10}{fact}" if name else f"{'':10}{fact}" for name, fact in facts(alert)),
        ]
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, footer(delivery)])


def footer(delivery: Delivery) -> str:
    """Return the last line of a message: a repeated one has the same id."""
    return f"Delivery {delivery.id}"


def _reasons(alert: Alert) -> tuple[str, ...]:
    news = (alert.news,) if alert.news and alert.news not in alert.reasons else ()
    return (*news, *alert.reasons)[:MOST_REASONS]


def _certainty(alert: Alert) -> str:
    share = f"{percent(alert.labelled / alert.rows)} of the labels are in" if alert.rows else "there are no rows"
    return f"{share}; {'later rows or labels may change the verdict' if alert.provisional else 'the verdict is final'}"


def _day(alert: Alert, start: datetime) -> str:
    label = period_label(start, alert.period, alert.zone)
    year = f"{start.astimezone(alert.zone):%Y}"
    return label if label.endswith(year) else f"{label} {year}"
