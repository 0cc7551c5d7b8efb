"""The poll: turn pending batches into pending chunks, then compute each due chunk in its own transaction."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from threading import Event
from time import perf_counter

from sqlalchemy import Connection, Engine

from driftline import spans
from driftline.clock import Clock
from driftline.errors import DatabaseBusy, DriftlineError, Unavailable
from driftline.spans import Attributes
from driftline.store.database import in_transaction, translated
from driftline.store.polling import pending_chunks
from driftline.store.polling.schedule_store import read_schedules, record_polls
from driftline.store.version_key import VersionKey
from monitoring.poll.computation import compute
from monitoring.poll.monitored_version import MonitoredVersion
from monitoring.poll.outcomes import ChunkOutcome, PollOutcome, VersionPoll
from monitoring.poll.poll_lineage import record_poll_runs
from monitoring.poll.results.revisions import RevisionStore
from monitoring.poll.touched_chunks import queue_touched_chunks

log = logging.getLogger(__name__)

VERSIONS_IN_TURN = 8
"""How many versions take turns in a poll; the fitted references of all of them are in memory."""
LOCK_WAITS = 2
"""How many times the computation of a chunk waits for locks of other transactions before it is postponed."""
SMALL_CHUNK_VALUES = 2_000_000
"""Several pollers share a version whose chunks have at most this many feature values, a few seconds of work."""


def poll_once(engine: Engine, now: datetime, *, scheduled: bool, stop: Event | None = None) -> PollOutcome:
    """Compute everything that is pending, once; `now` is the wall clock's aware instant at the start.

    A `scheduled` poll skips models whose schedule is not due, open chunks that have grown by less than a tenth, and
    failed chunks whose retry is not due; a requested poll computes all of them. Any number of polls may run at the
    same time and be killed at any point: the stored results are the same in the end. A chunk that fails, or whose rows
    stay locked by another transaction, does not stop the others. Once `stop` is set, no further chunk is started.

    Raises:
        Unavailable: the database is unavailable or its schema is not this version's; no partial result is stored.
    """
    with spans.span("poll") as span:
        outcome = _poll_once(engine, now, scheduled, stop or Event())
        span.set({"driftline.batches": outcome.batches, "driftline.chunks": outcome.chunks})
    record_poll_runs(engine, outcome.polls, now)
    return outcome


def _poll_once(engine: Engine, now: datetime, scheduled: bool, stop: Event) -> PollOutcome:
    """Queue the chunks of pending batches, and compute those that are due."""
    began = perf_counter()
    wall = _advancing_clock(now)
    batches = queue_touched_chunks(engine)
    with translated(), engine.connect() as connection:
        due_versions = pending_chunks.due_versions(connection, wall())
        schedules = read_schedules(connection)
    due_models = {number for number, stored in schedules.items() if not scheduled or stored.is_due(now)}
    waiting_models = schedules.keys() - due_models
    versions = [
        MonitoredVersion(engine, name, key) for name, key in due_versions if key.model_number not in waiting_models
    ]
    polls = tuple(_poll_in_turn(engine, versions, wall, scheduled=scheduled, stop=stop))
    if due_models and not stop.is_set():
        in_transaction(engine, lambda connection: record_polls(connection, due_models, now))
    return PollOutcome(batches, polls, perf_counter() - began)


def _advancing_clock(now: datetime) -> Clock:
    """Return a clock that starts at `now` and advances: a poll may take long, and other polls may begin after it."""
    began = perf_counter()
    return lambda: now + timedelta(seconds=perf_counter() - began)


def _poll_in_turn(
    engine: Engine, versions: Sequence[MonitoredVersion], wall: Clock, *, scheduled: bool, stop: Event
) -> Iterator[VersionPoll]:
    """Compute the due chunks of each version; yield the outcome of a version once it has no due chunk left.

    Some versions take turns, one chunk at a time, so that a version with many chunks does not delay the others. Chunks
    of a version are computed oldest first, because later verdicts read earlier chunks. Versions that another poller is
    computing, or whose rows are locked, come last. If `stop` is set, the outcomes so far are yielded.
    """
    waiting, last = deque(_Turn(monitored) for monitored in versions), deque[_Turn]()
    turns = deque[_Turn]()
    while waiting or turns or last:
        while waiting and len(turns) < VERSIONS_IN_TURN:
            turns.append(waiting.popleft())
        turn = turns.popleft() if turns else last.popleft()
        end = TurnEnd.NONE_DUE if stop.is_set() else _poll_chunk(engine, turn, wall, scheduled)
        if end is TurnEnd.NONE_DUE:
            yield VersionPoll(turn.monitored.name, turn.monitored.key, tuple(turn.outcomes))
        elif end is TurnEnd.COMPUTED and not turn.is_last:
            turns.append(turn)
        else:
            turn.is_last = True
            last.append(turn)


class TurnEnd(Enum):
    """How a version's turn ended: with a chunk, without a due chunk, or because another poller computes the version."""

    COMPUTED = auto()
    NONE_DUE = auto()
    OCCUPIED = auto()


@dataclass(slots=True, eq=False)
class _Turn:
    """A version in a poll with the outcomes so far; `is_last` puts it behind the other versions."""

    monitored: MonitoredVersion
    outcomes: list[ChunkOutcome] = field(default_factory=list)
    is_last: bool = False

    @property
    def after(self) -> datetime | None:
        """The start of the last chunk that was claimed."""
        return self.outcomes[-1].start if self.outcomes else None


def _poll_chunk(engine: Engine, turn: _Turn, wall: Clock, scheduled: bool) -> TurnEnd:
    """Claim and compute the next due chunk in one transaction, or record why it failed.

    After a deadlock, or the first lock time-out, the whole transaction runs again. A chunk that stays locked is
    recorded as failed, and the version's other chunks are tried once more at the end of the poll.
    """
    monitored, claimed = turn.monitored, list[datetime]()
    monitored.refit_outdated(wall())

    def claim_and_compute(connection: Connection) -> ChunkOutcome | TurnEnd:
        """Claim the next due chunk of the version and compute it, or return why none was claimed."""
        claimed.clear()
        now = wall()
        clock, retry_by = monitored.clock(connection, now), now if scheduled else None
        claim = pending_chunks.claim(connection, monitored.key, clock, turn.after, retry_by)
        if claim is None:
            return TurnEnd.NONE_DUE
        if claim.passed_over and not turn.is_last:
            return TurnEnd.OCCUPIED
        if claim.passed_over and scheduled and not _is_small(connection, monitored):
            return TurnEnd.NONE_DUE
        claimed.append(claim.start)
        with spans.span("compute chunk", attributes=_span_attributes(monitored, claim.start)):
            return compute(connection, monitored, claim, wall, scheduled=scheduled)

    try:
        result = in_transaction(engine, claim_and_compute, lock_waits=LOCK_WAITS)
    except DatabaseBusy as error:
        if not claimed:
            raise
        log.warning("%s version %d: the chunk of %s is locked.", monitored.name, monitored.key.version, claimed[-1])
        turn.outcomes.append(_record_failure(engine, monitored.key, claimed[-1], error, wall()))
        return TurnEnd.NONE_DUE if turn.is_last else TurnEnd.OCCUPIED
    except Unavailable:
        raise
    except Exception as error:
        if not claimed:
            raise
        log.exception("%s version %d: the chunk of %s failed.", monitored.name, monitored.key.version, claimed[-1])
        result = _record_failure(engine, monitored.key, claimed[-1], error, wall())
    if isinstance(result, TurnEnd):
        return result
    turn.outcomes.append(result)
    return TurnEnd.COMPUTED


def _span_attributes(monitored: MonitoredVersion, start: datetime) -> Attributes:
    """Return the attributes of the span in which a chunk is computed."""
    chunk = start.isoformat()
    return {"driftline.model": monitored.name, "driftline.version": monitored.key.version, "driftline.chunk": chunk}


def _is_small(connection: Connection, monitored: MonitoredVersion) -> bool:
    """Return whether the chunks of a version are small enough that several pollers may compute them at once.

    A version with large chunks occupies one poller only, so that the others stay free for other models. The size of
    the newest stored chunk decides.
    """
    rows = RevisionStore(monitored.key).newest_rows(connection)
    return rows is not None and rows * len(monitored.load(connection).spec.columns) <= SMALL_CHUNK_VALUES


def _record_failure(engine: Engine, key: VersionKey, start: datetime, error: Exception, now: datetime) -> ChunkOutcome:
    """Keep a chunk pending with the reason why it failed; return that as its outcome."""
    reason = error.message if isinstance(error, DriftlineError) else f"{type(error).__name__}: see the monitor's log."
    in_transaction(engine, lambda connection: pending_chunks.fail(connection, key, start, reason, now))
    return ChunkOutcome(start, failure=reason)
