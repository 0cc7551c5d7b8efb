"""The record of a run of the poll. No I/O here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from monitoring.poll.outcomes import PollOutcome


class PollRunState(StrEnum):
    """Whether a run is going on, has ended, has failed, or was interrupted because its monitor was stopped."""

    RUNNING = "running"
    ENDED = "ended"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @classmethod
    def of(cls, has_ended: bool, problem: object) -> Self:
        """Return the state of a run that was not interrupted, from whether it has ended and what went wrong."""
        if not has_ended:
            return cls(cls.RUNNING)
        return cls(cls.ENDED if problem is None else cls.FAILED)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run at one instant: `summary` says what it did, `problem` why it failed or was interrupted."""

    id: str
    began_at: datetime
    ended_at: datetime | None
    state: PollRunState
    problem: str | None
    summary: PollOutcome | None
