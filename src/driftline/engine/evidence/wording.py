"""Evidence in words: what has changed, since when, by how much, and with what certainty. No I/O here."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from driftline.engine.catalogue import title
from driftline.engine.evidence.chunk_evidence import Change
from driftline.engine.evidence.families import Family
from driftline.engine.evidence.visible_change import VisibleChange
from driftline.engine.number_format import format_distinct
from driftline.engine.results import Metric

ROC_AUC = title(Metric.ROC_AUC)


def describe_alert(change: Change, budget: float, time_zone: ZoneInfo) -> str:
    """Return the reason for an alert; `budget` is how many false alerts a year it may have."""
    return f"{describe(change, time_zone)}; a change this clear turns up by chance {how_often(budget)}."


def describe_warning(change: Change, budget: float, time_zone: ZoneInfo) -> str:
    """Return the reason for a warning: the same change, short of an alert."""
    return f"{describe(change, time_zone)}; not enough evidence for an alert yet (budget: {budget:g} a year)."


def describe_withheld(change: Change, time_zone: ZoneInfo) -> str:
    """Return the reason for a warning where an alert needs harm, and no metric has fallen by its margin."""
    return f"{describe(change, time_zone)}; no metric is worse by its margin yet, so this does not alert."


def describe_incident(since: datetime, time_zone: ZoneInfo) -> str:
    """Return the reason for the state of a chunk in an open incident."""
    return f"The incident that began with the alert of {date(since, time_zone)} is still open."


def describe_no_skill(roc_auc: float) -> str:
    """Return the reason for the state of a chunk whose ROC AUC is not distinguishable from 0.5."""
    return f"The score ranks no better than chance: {ROC_AUC} {roc_auc:.3g} is not distinguishable from 0.5."


def describe(change: Change, time_zone: ZoneInfo) -> str:
    """Return what has changed, since when and by how much."""
    since = f", since about {date(change.since, time_zone)}"
    observed, usual = format_distinct(change.observed, change.usual)
    match change.family:
        case Family.SHARE:
            observed, usual = _percents(change.observed, change.usual)
            of = "positive" if change.label is None else f"of class {change.label}"
            words = f"{observed} were {of} where these scores promise {usual}"
        case Family.RANKING:
            classes = "positives from negatives" if change.label is None else f"class {change.label} from the others"
            words = (
                f"Scores separate {classes} less well than in the reference: "
                f"{ROC_AUC} {observed}, where {usual} is expected from these scores"
            )
        case Family.EXPECTED:
            words = f"Estimated from the scores, {_metric(change)} falls to {observed}, from {usual} in the reference"
        case Family.REALIZED:
            words = f"{_metric(change)} has fallen to {observed}, from {usual} in the reference"
        case Family.MEAN_RESIDUAL:
            words = f"The mean residual (label minus prediction) is {observed}, and {usual} in the reference"
        case Family.RESIDUAL_SIZE:
            words = f"{title(Metric.MAE)} has risen to {observed}, from {usual} in the reference"
        case Family.EXPECTED_LOSS:
            words = f"Estimated from the features, the mean error rises to {observed}, from {usual} in the reference"
    return words + since


def _metric(change: Change) -> str:
    """Return the name of the metric that has fallen, and the class."""
    metric = change.metric or ""
    return title(metric) if change.label is None else f"{title(metric)} of class {change.label}"


def how_often(budget: float) -> str:
    """Return the budget in words: at most once a year, at most 4 times a year, at most once in 2 years."""
    if budget == 1:
        return "at most once a year"
    return f"at most {budget:g} times a year" if budget > 1 else f"at most once in {1 / budget:.3g} years"


def date(moment: datetime, time_zone: ZoneInfo) -> str:
    """Return a day, and the time of day where it is not midnight, such as 12 May 2026."""
    local = moment.astimezone(time_zone)
    time = "" if (local.hour, local.minute) == (0, 0) else f" {local:%H:%M}"
    return f"{local.day} {local:%B %Y}{time}"


def _percents(observed: float, expected: float) -> tuple[str, str]:
    """Return both shares in percent, with as few digits as show that they differ."""
    for digits in range(4):
        texts = f"{100 * observed:.{digits}f} %", f"{100 * expected:.{digits}f} %"
        if texts[0] != texts[1]:
            break
    return texts


MOST_CLASSES = 3
"""With more classes, only the most and the least frequent are described."""


def describe_visible(
    changes: Sequence[VisibleChange], proposed: str | None = None, no_evidence: str | None = None
) -> tuple[str, ...]:
    """Return what the detector detects 8 times in 10, and the longer period that makes more detectable, if any.

    `no_evidence` is the reason why there is no detector, None where there is one, or none is wanted.
    """
    if no_evidence is not None:
        return (f"Bounds alone alert, without a budget of false alerts. {no_evidence}",)
    if not changes:
        return ()
    by_label = {label: [change for change in changes if change.label == label] for label in _described(changes)}
    lines = [line for of_label in by_label.values() for line in _lines(of_label)]
    if not proposed:
        return tuple(lines)
    cure = f"chunks of {proposed} make smaller ones detectable"
    return (*lines, f"With these chunks only large changes can be detected; {cure}.")


def _described(changes: Sequence[VisibleChange]) -> list[str | None]:
    """Return the classes to describe, the most frequent first; [None] where the model has no classes."""
    shares = {change.label: change.usual_share or 0.0 for change in changes}
    ordered = sorted(shares, key=lambda label: -shares[label])
    return ordered if len(ordered) <= MOST_CLASSES else [ordered[0], ordered[-1]]


def _lines(changes: Sequence[VisibleChange]) -> list[str]:
    """Return the smallest changes of one class, of a binary model or of a regression."""
    first = changes[0]
    if first.usual_mae is not None:
        moves = [_within(f"by {c.mean_residual:.2g}", c.chunks) for c in changes if c.mean_residual is not None]
        rises = [_within(f"to {c.mae:.3g}", c.chunks) for c in changes if c.mae is not None]
        name = title(Metric.MAE)
        return [
            _detectable("the mean residual (label minus prediction) moves", moves, "No move of the mean residual"),
            _detectable(f"{name} rises from {first.usual_mae:.3g}", rises, f"No rise of {name}"),
        ]
    of = "" if first.label is None else f" of class {first.label}"
    share = "the share of positives" if first.label is None else f"the share of class {first.label}"
    falls = [_within(f"by {c.roc_auc:.2g}", c.chunks) for c in changes if c.roc_auc is not None]
    rises = [_within(f"to {100 * c.share:.3g} %", c.chunks) for c in changes if c.share is not None]
    usual = f"{100 * (first.usual_share or 0.0):.3g} %"
    return [
        _detectable(f"{ROC_AUC}{of} falls", falls, f"No fall in {ROC_AUC}{of}"),
        _detectable(f"{share} rises from {usual}", rises, f"No rise of {share}"),
    ]


def _detectable(change: str, sizes: Sequence[str], otherwise: str) -> str:
    return (
        f"Detected 8 times in 10: {change} {', '.join(sizes)}." if sizes else f"{otherwise} can be detected reliably."
    )


def _within(value: str, chunks: int) -> str:
    return f"{value} within {chunks} chunk{'' if chunks == 1 else 's'}"
