"""The verdict store: the verdicts of each chunk in the order they were derived, the last one current."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from driftline.clock import aware_utc, naive_utc
from driftline.engine.results import State, Verdict
from driftline.store.tables import verdicts
from driftline.store.version_key import VersionKey
from monitoring.poll.results import verdict_events
from monitoring.poll.results.revisions import Revision
from monitoring.poll.results.verdict_events import VerdictEvent, is_backfill

_start = verdicts.c.chunk_start


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A stored verdict: its revision, its position in that revision's history, and when it was derived."""

    revision: int
    sequence: int
    verdict: Verdict
    derived_at: datetime
    closed: bool

    def same_as(self, revision: Revision, verdict: Verdict) -> bool:
        """Return whether a verdict on a revision would change nothing."""
        return (self.revision, self.closed, self.verdict) == (revision.number, revision.closed, verdict)


class VerdictStore:
    """Reads and writes the verdicts of one model version; one verdict of each chunk is current."""

    def __init__(self, key: VersionKey) -> None:
        """Store the version's key; nothing is opened."""
        self.key = key

    def between(self, connection: Connection, first: datetime, last: datetime) -> dict[datetime, StoredVerdict]:
        """Return by start the current verdicts of chunks that start from `first` to `last`, both included."""
        current = and_(
            self.key.rows_of(verdicts), _start.between(naive_utc(first), naive_utc(last)), verdicts.c.current
        )
        rows = connection.execute(select(verdicts).where(current)).mappings()
        return {aware_utc(row["chunk_start"]): _stored_verdict(row) for row in rows}

    def history(self, connection: Connection, start: datetime) -> list[StoredVerdict]:
        """Return every verdict of a chunk, oldest first."""
        of_chunk = and_(self.key.rows_of(verdicts), _start == naive_utc(start))
        rows = connection.execute(
            select(verdicts).where(of_chunk).order_by(verdicts.c.revision, verdicts.c.sequence)
        ).mappings()
        return [_stored_verdict(row) for row in rows]

    def write(
        self,
        connection: Connection,
        revision: Revision,
        verdict: Verdict,
        now: datetime,
        *,
        clock: datetime,
        previous: StoredVerdict | None,
        in_place: bool,
    ) -> None:
        """Make a verdict on a revision the current one instead of `previous`, and record its event.

        `previous` is the chunk's current verdict as read under the version's lock; with `in_place` it is deleted, else
        kept. `now` is the wall clock's instant, `clock` the model clock's.
        """
        chunk = and_(self.key.rows_of(verdicts), _start == naive_utc(revision.chunk.start))
        if previous is not None and in_place:
            row = and_(chunk, verdicts.c.revision == previous.revision, verdicts.c.sequence == previous.sequence)
            connection.execute(delete(verdicts).where(row))
        connection.execute(update(verdicts).where(chunk, verdicts.c.current).values(current=False))
        newest = select(func.coalesce(func.max(verdicts.c.sequence), 0))
        sequence = connection.execute(newest.where(chunk, verdicts.c.revision == revision.number)).scalar_one() + 1
        connection.execute(insert(verdicts).values(self._row(revision, sequence, verdict, now)))
        change = VerdictEvent(
            revision,
            sequence,
            None if previous is None else previous.verdict.state,
            verdict,
            is_backfill(revision, clock) and not (previous is not None and previous.closed),
        )
        verdict_events.record(connection, self.key, change, now)

    def _row(self, revision: Revision, sequence: int, verdict: Verdict, now: datetime) -> dict[str, object]:
        """Return the row of a verdict."""
        return {
            "model_number": self.key.model_number,
            "model_version": self.key.version,
            "chunk_start": naive_utc(revision.chunk.start),
            "revision": revision.number,
            "sequence": sequence,
            "current": True,
            "closed": revision.closed,
            "state": verdict.state,
            "provisional": verdict.provisional,
            "reasons": json.dumps(verdict.reasons),
            "drifted": json.dumps(verdict.drifted),
            "derived_at": naive_utc(now),
        }


def _stored_verdict(row: Mapping[Any, Any]) -> StoredVerdict:
    verdict = Verdict(
        State(row["state"]),
        tuple(json.loads(row["reasons"])),
        bool(row["provisional"]),
        tuple(json.loads(row["drifted"])),
    )
    return StoredVerdict(row["revision"], row["sequence"], verdict, aware_utc(row["derived_at"]), bool(row["closed"]))
