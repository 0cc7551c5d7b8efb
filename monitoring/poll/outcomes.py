"""The outcomes of a poll: of one chunk, of one model version, and of the whole poll. No I/O here."""

from dataclasses import dataclass, replace
from datetime import datetime

from driftline.store.version_key import VersionKey


@dataclass(frozen=True, slots=True)
class ChunkOutcome:
    """The outcome of one claimed chunk: whether it was `computed`, and whether that `revised` a closed chunk.

    `verdicts` counts the verdicts that changed, its own and those of later chunks. `left_open` marks an open chunk
    that was skipped because it has hardly grown. `failure` says why nothing was stored.
    """

    start: datetime
    computed: bool = False
    revised: bool = False
    verdicts: int = 0
    left_open: bool = False
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class VersionPoll:
    """The outcome of a poll for one model version: that of each claimed chunk, oldest first."""

    name: str
    key: VersionKey
    outcomes: tuple[ChunkOutcome, ...]

    @property
    def changed(self) -> bool:
        """Whether the reports may have changed: a chunk was computed, closed, failed or recovered."""
        return any(not outcome.left_open for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """The outcome of a poll: the number of batches, the outcome of each version, and the duration in seconds."""

    batches: int
    polls: tuple[VersionPoll, ...]
    seconds: float

    def merge(self, later: "PollOutcome") -> "PollOutcome":
        """Return the combined outcome of this poll and a later one."""
        polls = {poll.key: poll for poll in self.polls}
        for poll in later.polls:
            outcomes = polls[poll.key].outcomes if poll.key in polls else ()
            polls[poll.key] = replace(poll, outcomes=(*outcomes, *poll.outcomes))
        return PollOutcome(self.batches + later.batches, tuple(polls.values()), self.seconds + later.seconds)

    @property
    def has_news(self) -> bool:
        """Whether there were new batches, or a chunk was computed, closed, failed or recovered."""
        return bool(self.batches) or any(poll.changed for poll in self.polls)

    @property
    def outcomes(self) -> tuple[ChunkOutcome, ...]:
        """The chunk outcomes of all versions."""
        return tuple(outcome for poll in self.polls for outcome in poll.outcomes)

    @property
    def chunks(self) -> int:
        """How many chunks were computed."""
        return sum(outcome.computed for outcome in self.outcomes)

    @property
    def revisions(self) -> int:
        """How many closed chunks got a new revision."""
        return sum(outcome.revised for outcome in self.outcomes)

    @property
    def verdicts(self) -> int:
        """How many verdicts changed."""
        return sum(outcome.verdicts for outcome in self.outcomes)

    @property
    def left_open(self) -> int:
        """How many open chunks were skipped because they have hardly grown."""
        return sum(outcome.left_open for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        """How many chunks failed; they are tried again later."""
        return sum(outcome.failure is not None for outcome in self.outcomes)
