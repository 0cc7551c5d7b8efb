"""The poll: turn pending batches into pending chunks, then compute each due chunk in its own transaction."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import perf_counter

from sqlalchemy import Connection, Engine

from driftline.clock import Clock
from driftline.errors import DatabaseBusy, DriftlineError, Unavailable
from driftline.store import pending_chunks
from driftline.store.database import in_transaction, translated
from driftline.store.version_key import VersionKey
from monitoring.poll.computation import ChunkOutcome, compute
from monitoring.poll.monitored_version import MonitoredVersion
from monitoring.poll.touched_chunks import queue_touched_chunks

log = logging.getLogger(__name__)

VERSIONS_IN_TURN = 8
"""How many versions take turns in a poll; the fitted references of all of them are in memory."""


@dataclass(frozen=True, slots=True)
class VersionPoll:
    """What one poll did for one model version: the outcome of each claimed chunk, oldest first."""

    name: str
    key: VersionKey
    outcomes: tuple[ChunkOutcome, ...]

    @property
    def changed(self) -> bool:
        """Whether the reports may have changed: a chunk was computed, closed, failed or recovered."""
        return any(not outcome.left_open for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class PollSummary:
    """What one poll did: the number of batches processed, the poll of each version, and its duration in seconds."""

    batches: int
    polls: tuple[VersionPoll, ...]
    seconds: float

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


def poll_once(engine: Engine, now: datetime, *, scheduled: bool) -> PollSummary:
    """Compute everything that is pending, once; `now` is the wall clock's aware instant at the start.

    A `scheduled` poll skips open chunks until they have grown by a tenth, and failed chunks until their retry is due; a
    requested poll takes all of them. Any number of polls may run at the same time and be killed at any point: the
    stored results are the same in the end. A chunk that fails, or whose rows others keep locked, does not stop the
    others.

    Raises:
        Unavailable: the database is unavailable or its schema is not this version's; no partial result is stored.
    """
    began = perf_counter()
    wall = _running(now)
    batches = queue_touched_chunks(engine)
    with translated(), engine.connect() as connection:
        versions = pending_chunks.due_versions(connection, wall())
    polls = tuple(_poll_in_turn(engine, [MonitoredVersion(engine, *version) for version in versions], wall, scheduled))
    return PollSummary(batches, polls, perf_counter() - began)


def _running(now: datetime) -> Clock:
    """Return a clock that starts at `now` and runs on: a poll may take long, and others may begin after it."""
    began = perf_counter()
    return lambda: now + timedelta(seconds=perf_counter() - began)


def _poll_in_turn(
    engine: Engine, versions: Sequence[MonitoredVersion], wall: Clock, scheduled: bool
) -> Iterator[VersionPoll]:
    """Compute the due chunks of each version; yield what was done for each version as soon as none of its are left.

    A few versions take turns, a chunk each: one with many chunks does not delay the others until it is done. Chunks of
    a version are computed oldest first, because later verdicts read earlier chunks.
    """
    waiting = deque(versions)
    taking_turns: deque[tuple[MonitoredVersion, list[ChunkOutcome]]] = deque()
    while waiting or taking_turns:
        while waiting and len(taking_turns) < VERSIONS_IN_TURN:
            taking_turns.append((waiting.popleft(), []))
        monitored, outcomes = taking_turns.popleft()
        outcome = _poll_chunk(engine, monitored, outcomes[-1].start if outcomes else None, wall, scheduled)
        if outcome is None:
            yield VersionPoll(monitored.name, monitored.key, tuple(outcomes))
        else:
            outcomes.append(outcome)
            taking_turns.append((monitored, outcomes))


def _poll_chunk(
    engine: Engine, monitored: MonitoredVersion, after: datetime | None, wall: Clock, scheduled: bool
) -> ChunkOutcome | None:
    """Claim and compute the next due chunk in one transaction, or record why it failed; None if no chunk is due.

    A deadlock or a lock timeout runs the whole transaction again; a chunk that stays locked is recorded as failed.
    """
    claimed: list[datetime] = []

    def claim_and_compute(connection: Connection) -> ChunkOutcome | None:
        claimed.clear()
        now = wall()
        clock = monitored.clock(connection, now)
        claim = pending_chunks.claim(connection, monitored.key, clock, after, now if scheduled else None)
        if claim is None:
            return None
        claimed.append(claim.start)
        return compute(connection, monitored, claim, wall, scheduled=scheduled)

    try:
        return in_transaction(engine, claim_and_compute)
    except DatabaseBusy as error:
        if not claimed:
            raise
        log.warning("%s version %d: the chunk of %s is locked.", monitored.name, monitored.key.version, claimed[-1])
        return _record_failure(engine, monitored.key, claimed[-1], error, wall())
    except Unavailable:
        raise
    except Exception as error:
        if not claimed:
            raise
        log.exception("%s version %d: the chunk of %s failed.", monitored.name, monitored.key.version, claimed[-1])
        return _record_failure(engine, monitored.key, claimed[-1], error, wall())


def _record_failure(engine: Engine, key: VersionKey, start: datetime, error: Exception, now: datetime) -> ChunkOutcome:
    reason = error.message if isinstance(error, DriftlineError) else f"{type(error).__name__}: see the monitor's log."
    in_transaction(engine, lambda connection: pending_chunks.fail(connection, key, start, reason, now))
    return ChunkOutcome(start, failure=reason)
