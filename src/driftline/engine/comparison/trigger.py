"""Whether a challenger is trained now: an alert that lasts, a cool-down, and a budget. No I/O here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from driftline.engine.results import State

UNDECIDED = frozenset({State.NO_DATA, State.INSUFFICIENT, State.PENDING_LABELS, State.ERROR})
"""States that say nothing about how well a model performs; they neither end an alert nor prolong it."""


@dataclass(frozen=True, slots=True)
class ClosedChunk:
    """The final verdict of a closed chunk."""

    start: datetime
    state: State


@dataclass(frozen=True, slots=True)
class RetrainingLimits:
    """How often a model is trained again: `cool_down` between two trainings, and `per_month` in a calendar month."""

    cool_down: timedelta = timedelta(days=7)
    per_month: int = 4


def alert_lasts(chunks: Iterable[ClosedChunk], count: int) -> datetime | None:
    """Return since when the newest `count` chunks with a verdict or more have all alerted; None if they have not."""
    decided = sorted((chunk for chunk in chunks if chunk.state not in UNDECIDED), key=lambda chunk: chunk.start)
    since = None
    length = 0
    for chunk in reversed(decided):
        if chunk.state is not State.ALERT:
            break
        since, length = chunk.start, length + 1
    return since if length >= count else None


def refusal(now: datetime, trainings: Sequence[datetime], limits: RetrainingLimits) -> str | None:
    """Return why no challenger may be trained now; None if it may. `trainings` are when earlier ones began."""
    last = max(trainings, default=None)
    if last is not None and now < (next_at := last + limits.cool_down):
        return f"the last training began {last:%Y-%m-%d %H:%M}, and the next may begin {next_at:%Y-%m-%d %H:%M}"
    this_month = sum((training.year, training.month) == (now.year, now.month) for training in trainings)
    if this_month >= limits.per_month:
        return f"{this_month} trainings began in {now:%B %Y}, and the budget is {limits.per_month} a month"
    return None
