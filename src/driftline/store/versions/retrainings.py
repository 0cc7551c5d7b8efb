"""The retrainings of a model: why each began, which versions it compared, what it decided and why."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from driftline.clock import aware_utc, naive_utc
from driftline.engine.comparison.paired_roc_auc import PairedRocAuc
from driftline.engine.comparison.promotion import Decision
from driftline.engine.comparison.trigger import ClosedChunk
from driftline.engine.results import State
from driftline.store.database import in_transaction
from driftline.store.model_numbers import lock_model, model_number, next_position
from driftline.store.tables import retrainings, verdict_events
from driftline.store.version_key import VersionKey

LONGEST_CAUSE, LONGEST_REASON = 500, 2_000
INTERRUPTED = "the run ended before it had decided"


class RetrainingState(StrEnum):
    """How far a retraining is: while it runs, and what followed."""

    RUNNING = "running"
    PROMOTED = "promoted"
    KEPT = "kept"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Retraining:
    """A retraining. `comparison` is None where nothing was compared."""

    position: int
    state: RetrainingState
    cause: str
    event_number: int | None
    champion: int
    challenger: int | None
    reason: str | None
    comparison: PairedRocAuc | None
    started_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class VerdictNews:
    """The verdicts of a version's closed chunks that no label will change, and the number of its last verdict event.

    The number is None where the version has no events.
    """

    chunks: tuple[ClosedChunk, ...]
    last_event: int | None


def read_verdicts(connection: Connection, key: VersionKey) -> VerdictNews:
    """Read the verdict events of a version: the last one of each chunk is its current verdict.

    Events of a version are numbered in the order of their commits, so all up to the last one were read.
    """
    columns = verdict_events.c
    read = (columns.number, columns.chunk_start, columns.state, columns.closed, columns.provisional)
    statement = select(*read).where(key.rows_of(verdict_events))
    newest = {row.chunk_start: row for row in connection.execute(statement.order_by(columns.number))}
    final = (row for row in newest.values() if row.closed and not row.provisional)
    chunks = (ClosedChunk(aware_utc(row.chunk_start), State(row.state)) for row in final)
    return VerdictNews(tuple(chunks), max((row.number for row in newest.values()), default=None))


def retrainings_of(connection: Connection, name: str) -> list[Retraining]:
    """Return the retrainings of a model, oldest first.

    Raises:
        NotFound: no such model.
    """
    number = model_number(connection, name)
    rows = select(retrainings).where(retrainings.c.model_number == number).order_by(retrainings.c.position)
    return [_retraining(row) for row in connection.execute(rows).mappings()]


def newest_retrainings(connection: Connection, name: str, most: int, before: int | None = None) -> list[Retraining]:
    """Return at most so many retrainings of a model, the newest first; with `before`, those with lower positions.

    Raises:
        NotFound: no such model.
    """
    statement = select(retrainings).where(retrainings.c.model_number == model_number(connection, name))
    if before is not None:
        statement = statement.where(retrainings.c.position < before)
    newest = statement.order_by(retrainings.c.position.desc()).limit(most)
    return [_retraining(row) for row in connection.execute(newest).mappings()]


def begin(engine: Engine, key: VersionKey, cause: str, event_number: int | None, now: datetime) -> int:
    """Record that a retraining of a champion begins, and return its position; one that was interrupted has failed.

    The caller holds a lock by which no other retraining runs.
    """

    def work(connection: Connection) -> int:
        """Mark running retrainings of the model as interrupted, and insert the new one at the next position."""
        lock_model(connection, key.model_number)
        of_model = retrainings.c.model_number == key.model_number
        interrupted = update(retrainings).where(of_model, retrainings.c.state == RetrainingState.RUNNING)
        ended = {"state": RetrainingState.FAILED, "reason": INTERRUPTED, "finished_at": naive_utc(now)}
        connection.execute(interrupted.values(ended))
        position = next_position(connection, retrainings, key.model_number)
        row = {
            "model_number": key.model_number,
            "position": position,
            "state": RetrainingState.RUNNING,
            "cause": cause[:LONGEST_CAUSE],
            "event_number": event_number,
            "champion": key.version,
            "started_at": naive_utc(now),
        }
        connection.execute(insert(retrainings).values(row))
        return position

    return in_transaction(engine, work)


def finish(
    engine: Engine,
    key: VersionKey,
    position: int,
    state: RetrainingState,
    decision: Decision,
    challenger: int | None,
    now: datetime,
) -> None:
    """Record what a retraining decided, and why."""
    is_retraining = (retrainings.c.model_number == key.model_number) & (retrainings.c.position == position)
    comparison = None if decision.comparison is None else json.dumps(asdict(decision.comparison))
    row = {
        "state": state,
        "reason": decision.reason[:LONGEST_REASON],
        "challenger": challenger,
        "comparison": comparison,
        "finished_at": naive_utc(now),
    }
    in_transaction(engine, lambda connection: connection.execute(update(retrainings).where(is_retraining).values(row)))


def _retraining(row: Mapping[Any, Any]) -> Retraining:
    """Return the retraining that a row describes."""
    return Retraining(
        position=row["position"],
        state=RetrainingState(row["state"]),
        cause=row["cause"],
        event_number=row["event_number"],
        champion=row["champion"],
        challenger=row["challenger"],
        reason=row["reason"],
        comparison=PairedRocAuc(**json.loads(row["comparison"])) if row["comparison"] else None,
        started_at=aware_utc(row["started_at"]),
        finished_at=row["finished_at"] and aware_utc(row["finished_at"]),
    )
