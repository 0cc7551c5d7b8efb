"""The rows of `stream_runs`: the plan and progress of each stream. A batch and its progress share a transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, insert, select, update

from churn.ledger import RELAY
from churn.tables import injected_drift, stream_runs
from driftline.clock import aware_utc, naive_utc
from driftline.errors import Conflict, NotFound
from driftline.store.tables import ledger, pending_batches
from flaskapp.stream.plan import StreamPlan, batch_id
from flaskapp.world.frames import truth_frame


class StreamRunState(StrEnum):
    """The state of a stream, as stored."""

    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"
    FAILED = "failed"


class StreamRunning(Conflict):
    """A stream is already running; wait for its end (`GET /stream`) or stop it (`POST /stop_stream`)."""


@dataclass(frozen=True, slots=True)
class StreamRun:
    """The stored plan and progress of the stream `run_id`; `next_batch` (from 1) is not written yet, `plan` is JSON."""

    run_id: str
    plan: str
    state: StreamRunState
    num_batches: int
    next_batch: int
    records: int
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    last_error: str | None

    @property
    def batches_done(self) -> int:
        """The number of written batches."""
        return self.next_batch - 1

    def pause(self, interval: float, now: datetime) -> float:
        """Return the seconds until the next batch is due: the first is due now, others `interval` after the last."""
        if self.next_batch == 1:
            return 0.0
        return max(0.0, (self.updated_at + timedelta(seconds=interval) - now).total_seconds())


def _run(row: RowMapping) -> StreamRun:
    """Return a stored row as a run, with aware instants."""
    return StreamRun(
        run_id=row["run_id"],
        plan=row["parameters"],
        state=StreamRunState(row["state"]),
        num_batches=row["num_batches"],
        next_batch=row["next_batch"],
        records=row["records"],
        started_at=aware_utc(row["started_at"]),
        updated_at=aware_utc(row["updated_at"]),
        finished_at=row["finished_at"] and aware_utc(row["finished_at"]),
        last_error=row["last_error"],
    )


def running(connection: Connection) -> StreamRun | None:
    """Return the running stream, or None."""
    statement = (
        select(stream_runs).where(stream_runs.c.state == StreamRunState.RUNNING).order_by(stream_runs.c.started_at)
    )
    row = connection.execute(statement).mappings().first()
    return _run(row) if row else None


def newest(connection: Connection) -> StreamRun | None:
    """Return the running stream, else the one updated last, or None if there never was one."""
    statement = select(stream_runs).order_by(stream_runs.c.updated_at.desc()).limit(1)
    row = connection.execute(statement).mappings().first()
    return running(connection) or (_run(row) if row else None)


def get(connection: Connection, run_id: str) -> StreamRun:
    """Return the stream with an id.

    Raises:
        NotFound: there is no such stream.
    """
    row = connection.execute(_with_id(run_id)).mappings().first()
    if row is None:
        raise _missing(run_id)
    return _run(row)


def lock(connection: Connection, run_id: str) -> StreamRun:
    """Read and lock a stream's row, so that nobody else can change it.

    Raises:
        NotFound: there is no such stream.
    """
    row = _find(connection, run_id)
    if row is None:
        raise _missing(run_id)
    return row


def _missing(run_id: str) -> NotFound:
    return NotFound(f"There is no stream {run_id!r}; start one with POST /start_stream, which answers with its run_id.")


def _with_id(run_id: str) -> Select[Any]:
    return select(stream_runs).where(stream_runs.c.run_id == run_id)


def _find(connection: Connection, run_id: str) -> StreamRun | None:
    row = connection.execute(_with_id(run_id).with_for_update()).mappings().first()
    return _run(row) if row else None


def begin(connection: Connection, plan: StreamPlan, now: datetime) -> StreamRun:
    """Create a stream, or resume the one with the same id where it ended, up to the last batch of `plan`.

    A stream that already has all of the plan's batches is returned unchanged.

    Raises:
        StreamRunning: a stream is running.
    """
    if running(connection):
        raise StreamRunning
    existing = _find(connection, plan.run_id)
    if existing is None:
        return _create(connection, plan, now)
    if existing.batches_done >= plan.num_batches:
        return existing
    values = {
        "parameters": plan.to_json(),
        "num_batches": plan.num_batches,
        "state": StreamRunState.RUNNING,
        "finished_at": None,
        "last_error": None,
    }
    return _change(connection, plan.run_id, values, now)


def _create(connection: Connection, plan: StreamPlan, now: datetime) -> StreamRun:
    """Insert a new run and the truth about its injected drift."""
    row: dict[str, Any] = {
        "run_id": plan.run_id,
        "parameters": plan.to_json(),
        "state": StreamRunState.RUNNING,
        "num_batches": plan.num_batches,
        "next_batch": 1,
        "records": 0,
        "started_at": naive_utc(now),
        "updated_at": naive_utc(now),
    }
    connection.execute(insert(stream_runs).values(row))
    truth: list[Any] = truth_frame(plan.world.drifts).to_dict("records")
    if truth:
        connection.execute(insert(injected_drift), [{**drift, "run_id": plan.run_id} for drift in truth])
    return lock(connection, plan.run_id)


def advance(connection: Connection, run: StreamRun, records: int, now: datetime) -> StreamRun:
    """Advance a locked stream by one batch; after the last one it is finished."""
    values: dict[str, Any] = {"next_batch": run.next_batch + 1, "records": run.records + records}
    if run.next_batch >= run.num_batches:
        values |= {"state": StreamRunState.FINISHED, "finished_at": naive_utc(now)}
    return _change(connection, run.run_id, values, now)


def stop(connection: Connection, now: datetime) -> StreamRun | None:
    """Stop the running stream; return it, or None if none is running."""
    run = running(connection)
    if run is None or lock(connection, run.run_id).state is not StreamRunState.RUNNING:
        return None
    return _change(connection, run.run_id, {"state": StreamRunState.STOPPED}, now)


def fail(connection: Connection, run_id: str, message: str, now: datetime) -> StreamRun:
    """Mark a stream as failed, with the reason."""
    return _change(connection, run_id, {"state": StreamRunState.FAILED, "last_error": message[:500]}, now)


def _change(connection: Connection, run_id: str, values: dict[str, Any], now: datetime) -> StreamRun:
    statement = update(stream_runs).where(stream_runs.c.run_id == run_id)
    connection.execute(statement.values(**values, updated_at=naive_utc(now)))
    return lock(connection, run_id)


def unpublished(connection: Connection, run: StreamRun | None = None) -> int:
    """Count the batches that the relay has yet to publish: all, or those of one stream."""
    pending = pending_batches.c
    statement = select(func.count()).where(pending.consumer == RELAY)
    if run is not None:
        of_run = ledger.c.batch_id.startswith(batch_id(run.run_id, ""), autoescape=True)
        statement = statement.select_from(pending_batches.join(ledger, ledger.c.number == pending.batch_number))
        statement = statement.where(of_run)
    return int(connection.execute(statement).scalar_one())
