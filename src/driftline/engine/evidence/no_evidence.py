"""Why a reference gives no evidence, so that bounds alone decide about alerts. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass

from driftline.engine.evidence.reference_chunks import whole_days
from driftline.engine.frames.columns import IntArray

MINIMUM_DAYS = 3
"""Chunks shorter than a day need this many whole days: fewer do not tell how days differ, and false alerts exceed the
budget (`benchmarks/README.md`)."""
MINIMUM_DAYS_OF_METRICS = 7
"""Evidence from metrics and expected losses needs this many, since their error is measured between days."""


@dataclass(frozen=True, slots=True)
class NoEvidence:
    """The reason why a reference gives no evidence, with what to do about it."""

    reason: str


def no_evidence_of_days(days: Sequence[int] | None) -> NoEvidence | None:
    """Return the reason why chunks on these days (ordinals) give no evidence; None where they may.

    Several chunks a day share what is special about their day.
    """
    complete = whole_days(days)
    if complete is None or len(complete) >= MINIMUM_DAYS:
        return None
    covered = f"{len(complete)} whole day{'' if len(complete) == 1 else 's'}"
    return NoEvidence(
        f"The reference covers {covered}, too few to show how days differ; "
        f"give a reference of at least {MINIMUM_DAYS} days."
    )


def days_show_metrics(days: Sequence[int] | IntArray | None) -> bool:
    """Return whether chunks on these days show how metrics vary; True where chunks are not parts of days."""
    complete = whole_days(days)
    return complete is None or len(complete) >= MINIMUM_DAYS_OF_METRICS


def too_few_chunks(chunks: int, minimum: int) -> NoEvidence:
    """Return the reason that the reference has rows in too few chunks."""
    return NoEvidence(
        f"The reference has usable rows in {chunks} chunk{'' if chunks == 1 else 's'}, and {minimum} are needed; "
        "give a longer reference or shorter chunks."
    )
