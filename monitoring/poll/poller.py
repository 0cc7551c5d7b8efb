"""The poll: pending batches become pending chunks, and each due chunk is computed in a transaction of its own."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

from sqlalchemy import Connection, Engine

from driftline.clock import Clock
from driftline.errors import DriftlineError, Unavailable
from driftline.store.database import in_transaction, translated
from monitoring.poll import pending
from monitoring.poll.computation import ChunkOutcome, compute
from monitoring.poll.placement import place_batches
from monitoring.poll.watched import VersionKey, Watched

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VersionPoll:
    """What one poll did for one model version: the outcomes of the chunks it claimed, oldest chunk first."""

    name: str
    key: VersionKey
    outcomes: tuple[ChunkOutcome, ...]

    @property
    def changed(self) -> bool:
        """Say whether a report may be another than before: a chunk was computed, closed, failed, or is well again."""
        return any(not outcome.left_open for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class PollSummary:
    """What one poll did: batches placed, and by version the chunks it claimed; `seconds` on the wall."""

    batches: int
    polls: tuple[VersionPoll, ...]
    seconds: float

    @property
    def outcomes(self) -> tuple[ChunkOutcome, ...]:
        """The outcomes of all versions."""
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
        """How many verdicts turned."""
        return sum(outcome.verdicts for outcome in self.outcomes)

    @property
    def left_open(self) -> int:
        """How many open chunks were left alone, since they hardly grew."""
        return sum(outcome.left_open for outcome in self.outcomes)

    @property
    def failed(self) -> int:
        """How many chunks could not be computed; they will be tried again."""
        return sum(outcome.failure is not None for outcome in self.outcomes)


def poll_once(engine: Engine, now: datetime, *, scheduled: bool) -> PollSummary:
    """Do all that is pending, once; `now` is the wall's aware instant as it begins.

    A `scheduled` poll leaves open chunks alone until they grew by a tenth, and failed ones until they have rested; one
    that was asked for takes all. Any number of polls may run at once and be killed anywhere: the stored results are
    the same in the end. A chunk that fails does not stop the others.

    Raises:
        Unavailable: the database is away or its schema is not this version's; nothing half-done was kept.
    """
    began = perf_counter()
    wall = _running(now)
    batches = place_batches(engine)
    with translated(), engine.connect() as connection:
        versions = pending.versions(connection)
    polls = tuple(_poll_version(engine, Watched(engine, name, key), wall, scheduled) for name, key in versions)
    return PollSummary(batches, polls, perf_counter() - began)


def _running(now: datetime) -> Clock:
    """Give a clock that shows `now` and goes on: a poll may take long, and others may begin after it."""
    began = perf_counter()
    return lambda: now + timedelta(seconds=perf_counter() - began)


def _poll_version(engine: Engine, watched: Watched, wall: Clock, scheduled: bool) -> VersionPoll:
    """Compute the due chunks of a version, oldest first, because later verdicts read earlier chunks."""
    outcomes: list[ChunkOutcome] = []
    while outcome := _poll_chunk(engine, watched, outcomes[-1].start if outcomes else None, wall, scheduled):
        outcomes.append(outcome)
    return VersionPoll(watched.name, watched.key, tuple(outcomes))


def _poll_chunk(
    engine: Engine, watched: Watched, after: datetime | None, wall: Clock, scheduled: bool
) -> ChunkOutcome | None:
    claimed: list[datetime] = []

    def claim_and_compute(connection: Connection) -> ChunkOutcome | None:
        now = wall()
        clock = watched.clock(connection, now)
        claim = pending.claim(connection, watched.key, clock, after, now if scheduled else None)
        if claim is None:
            return None
        claimed.append(claim.start)
        return compute(connection, watched, claim, wall, scheduled=scheduled)

    try:
        return in_transaction(engine, claim_and_compute)
    except Unavailable:
        raise
    except Exception as error:
        if not claimed:
            raise
        log.exception("%s version %d, chunk of %s failed.", watched.name, watched.key.version, claimed[-1])
        return _record_failure(engine, watched.key, claimed[-1], error, wall())


def _record_failure(engine: Engine, key: VersionKey, start: datetime, error: Exception, now: datetime) -> ChunkOutcome:
    reason = (
        error.message if isinstance(error, DriftlineError) else f"{type(error).__name__}: the monitor's log says more."
    )
    in_transaction(engine, lambda connection: pending.fail(connection, key, start, reason, now))
    return ChunkOutcome(start, failure=reason)
