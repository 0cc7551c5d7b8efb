"""Evidence in words: what has changed, since when, by how much, and with what certainty. No I/O here."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from driftline.engine.catalogue import title
from driftline.engine.evidence.chunk_evidence import Change
from driftline.engine.evidence.families import Family
from driftline.engine.evidence.visible_change import VisibleChange


def describe_alert(change: Change, budget: float, zone: ZoneInfo) -> str:
    """Return the reason for an alert; `budget` is how many false alerts a year it may have."""
    return f"{describe(change, zone)}; a change this clear turns up by chance {how_often(budget)}."


def describe_warning(change: Change, budget: float, zone: ZoneInfo) -> str:
    """Return the reason for a warning: the same change, short of an alert."""
    return f"{describe(change, zone)}; not yet clear enough for an alert at {budget:g} a year."


def describe_gated(change: Change, zone: ZoneInfo) -> str:
    """Return the reason for a warning where an alert needs harm, and no metric has fallen by its margin."""
    return f"{describe(change, zone)}: changed, but no metric is worse by its margin yet."


def describe_incident(since: datetime, zone: ZoneInfo) -> str:
    """Return the reason for the state of a chunk in an open incident."""
    return f"The incident that began with the alert of {date(since, zone)} is still open."


def describe_no_skill(roc_auc: float) -> str:
    """Return the reason for the state of a chunk whose ROC AUC is not distinguishable from 0.5."""
    return f"The score ranks no better than chance: ROC AUC {roc_auc:.3g} is not distinguishable from 0.5."


def describe(change: Change, zone: ZoneInfo) -> str:
    """Return what has changed, since when and by how much."""
    since = f", since about {date(change.since, zone)}"
    if change.family is Family.SHARE:
        observed, expected = _percents(change.observed, change.usual)
        return f"{observed} were positive where these scores promise {expected}{since}"
    observed, usual = f"{change.observed:.3g}", f"{change.usual:.3g}"
    if change.family is Family.RANKING:
        return (
            "Scores tell positives from negatives less well than in the reference: "
            f"ROC AUC {observed}, where {usual} is expected of these scores{since}"
        )
    metric = title(change.metric or "")
    if change.family is Family.EXPECTED:
        return f"By the scores alone, {metric} falls to {observed}, from {usual} in the reference{since}"
    return f"{metric} has fallen to {observed}, from {usual} in the reference{since}"


def how_often(budget: float) -> str:
    """Return the budget in words: at most once a year, at most 4 times a year, at most once in 2 years."""
    if budget == 1:
        return "at most once a year"
    return f"at most {budget:g} times a year" if budget > 1 else f"at most once in {1 / budget:.3g} years"


def date(moment: datetime, zone: ZoneInfo) -> str:
    """Return a day, and the time of day where it is not midnight, such as 12 May 2026."""
    local = moment.astimezone(zone)
    time = "" if (local.hour, local.minute) == (0, 0) else f" {local:%H:%M}"
    return f"{local.day} {local:%B %Y}{time}"


def _percents(observed: float, expected: float) -> tuple[str, str]:
    """Return both shares in percent, with as few digits as show that they differ."""
    for digits in range(4):
        texts = f"{100 * observed:.{digits}f} %", f"{100 * expected:.{digits}f} %"
        if texts[0] != texts[1]:
            break
    return texts


def describe_visible(changes: Sequence[VisibleChange], proposed: str | None = None) -> tuple[str, ...]:
    """Return what the detector finds 8 times in 10, and the longer period that finds more, where one is proposed."""
    if not changes:
        return ()
    falls = [_within(f"by {change.roc_auc:.2g}", change.chunks) for change in changes if change.roc_auc is not None]
    rises = [_within(f"to {100 * change.share:.3g} %", change.chunks) for change in changes if change.share is not None]
    usual = f"{100 * changes[0].usual_share:.3g} %"
    lines = [
        f"Found 8 times in 10: ROC AUC falls {', '.join(falls)}." if falls else "No fall of ROC AUC is found for sure.",
        f"Found 8 times in 10: the share of positives rises from {usual} {', '.join(rises)}."
        if rises
        else "No rise of the share of positives is found for sure.",
    ]
    return (*lines, f"These chunks see little; chunks of {proposed} see more.") if proposed else tuple(lines)


def _within(value: str, chunks: int) -> str:
    return f"{value} within {chunks} chunk{'' if chunks == 1 else 's'}"
