"""The run store: the outcome of each run of the poll, readable by every monitor and after a restart."""

from collections.abc import Sequence
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, RowMapping, Select, delete, select
from sqlalchemy.dialects.mysql import insert as upsert

from driftline.clock import Clock, aware_utc, naive_utc
from driftline.store.ascii_columns import equals
from driftline.store.database import in_transaction, translated
from driftline.store.tables import poll_runs
from monitoring.poll.outcomes import PollOutcome
from monitoring.run_record import PollRunState, RunRecord

KEPT_RUNS = 10_000
"""How many of the newest runs stay readable."""
LOST_AFTER = timedelta(seconds=60)
"""How long a run that goes on may be without a sign of life until it counts as interrupted."""
INTERRUPTED = "The monitor was stopped during the run. What it had computed is stored; the next poll computes the rest."
LONGEST_PROBLEM = 500
_COLUMNS = poll_runs.c
_SUMMARY = TypeAdapter(PollOutcome)


class RunStore:
    """Stores runs and reads those of all monitors; one that its process has not ended is interrupted."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        """Store the engine and the wall clock; nothing is connected."""
        self._engine, self._clock = engine, clock

    def begin(self, run: RunRecord) -> None:
        """Store a running run, or a sign of life of it; a run that has ended meanwhile is left unchanged.

        Raises:
            Unavailable: the database is unavailable, or its schema is not this version's.
        """
        alive = {"alive_at": naive_utc(self._clock())}
        row = upsert(poll_runs).values(run_id=run.id, began_at=naive_utc(run.began_at), **alive)
        in_transaction(self._engine, lambda connection: connection.execute(row.on_duplicate_key_update(alive)))

    def end(self, run: RunRecord) -> None:
        """Store the outcome of a run, and delete the oldest runs beyond `KEPT_RUNS`; raises as `begin` does."""
        outcome = {
            "began_at": naive_utc(run.began_at),
            "alive_at": naive_utc(self._clock()),
            "ended_at": None if run.ended_at is None else naive_utc(run.ended_at),
            "problem": None if run.problem is None else run.problem[:LONGEST_PROBLEM],
            "summary": None if run.summary is None else _SUMMARY.dump_json(run.summary, exclude_defaults=True).decode(),
        }

        def work(connection: Connection) -> None:
            row = upsert(poll_runs).values(run_id=run.id, **outcome)
            connection.execute(row.on_duplicate_key_update(outcome))
            _delete_oldest(connection)

        in_transaction(self._engine, work)

    def read(self, run_id: str) -> RunRecord | None:
        """Return a run, or None where none of that name is stored; raises as `begin` does."""
        records = self._read(select(poll_runs).where(equals(_COLUMNS.run_id, run_id)))
        return records[0] if records else None

    def newest(self, most: int) -> Sequence[RunRecord]:
        """Return the newest runs, the newest first; raises as `begin` does."""
        newest_first = (_COLUMNS.began_at.desc(), _COLUMNS.run_id)
        return self._read(select(poll_runs).order_by(*newest_first).limit(most))

    def _read(self, statement: Select[tuple[object, ...]]) -> list[RunRecord]:
        with translated(), self._engine.connect() as connection:
            return [self._record(row) for row in connection.execute(statement).mappings()]

    def _record(self, row: RowMapping) -> RunRecord:
        """Return the run that a row describes; one without a sign of life was interrupted."""
        ended, summary = row["ended_at"], row["summary"]
        state = PollRunState.of(ended is not None, row["problem"])
        problem = row["problem"]
        if ended is None and aware_utc(row["alive_at"]) < self._clock() - LOST_AFTER:
            state, problem = PollRunState.INTERRUPTED, INTERRUPTED
        return RunRecord(
            id=row["run_id"],
            began_at=aware_utc(row["began_at"]),
            ended_at=None if ended is None else aware_utc(ended),
            state=state,
            problem=problem,
            summary=None if summary is None else _SUMMARY.validate_json(summary),
        )


def _delete_oldest(connection: Connection) -> None:
    first = select(_COLUMNS.began_at).order_by(_COLUMNS.began_at.desc()).limit(1).offset(KEPT_RUNS)
    began = connection.execute(first).scalar()
    if began is not None:
        connection.execute(delete(poll_runs).where(_COLUMNS.began_at <= began))
