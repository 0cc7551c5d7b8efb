"""Prepare: raw records of a range become one row per subscriber and day, in `Processed_Data` and as Parquet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from pyspark.sql import DataFrame
from sqlalchemy import Connection, func, select

from churn import migrate
from churn.columns import TRAILING_DAYS, Cdr
from churn.tables import cdr, processed_staging
from churn_jobs import features, processed_store, scratch, staging
from churn_jobs.batches import DayPart
from churn_jobs.days import AskedRange, DayRange, choose
from churn_jobs.hashing import day_parts
from churn_jobs.jdbc import Jdbc
from churn_jobs.job import Job
from churn_jobs.one_at_a_time import only_one
from churn_jobs.prepared_files import PreparedFiles
from churn_jobs.progress import each, say, step
from driftline.store.database import in_transaction

CURE = "Load raw data first: `python -m flaskapp.load_history`, or `make demo`."
PREFIX = "prepare/"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run did: the days it looked at, their rows, and how many batches and files it had to write."""

    days: DayRange
    rows: int
    batches: int
    files: int


def prepare(job: Job, asked: AskedRange) -> Prepared:
    """Prepare the asked days; run again, or killed and run again, it ends in the same table.

    Raises:
        NotFound: there are no records. InvalidInput: the range does not fit. Conflict: another run is at work.
    """
    migrate.require_current(job.engine)
    with only_one(job.engine, "prepare_data"):
        days = choose(asked, in_transaction(job.engine, recorded_days), cdr.name, CURE)
        with job.open_spark() as jdbc:
            done = _prepare(job, jdbc, days)
    say(f"Prepared {done.days}: {done.rows:,} rows; {done.batches} batches and {done.files} files were new.")
    return done


def recorded_days(connection: Connection) -> DayRange | None:
    """Return the days from the first to the last record, or None where there is none."""
    stamp = cdr.c[Cdr.DATE]
    first, last = connection.execute(select(func.min(stamp), func.max(stamp))).one()
    return DayRange(first.date(), last.date()) if first else None


def _prepare(job: Job, jdbc: Jdbc, days: DayRange) -> Prepared:
    attempt, files = str(uuid4()), PreparedFiles(job.objects.under("prepared"), job.scratch)
    _forget_dead_attempts(job)
    records = jdbc.read(cdr, features.SOURCES, days.preceded_by(TRAILING_DAYS - 1), cdr.c[Cdr.DATE])
    rows = features.prepare(records, days).persist()
    try:
        with step(f"Read and prepared {days}"):
            computed = day_parts(rows, features.PREPARED)
        with step("Wrote Parquet"):
            written = files.replace(rows, days, computed)
        batches = _write(job, jdbc, rows, in_transaction(job.engine, lambda c: _named(c, days, computed)), attempt)
        return Prepared(days, sum(one.rows for one in computed), batches, written)
    finally:
        rows.unpersist()


def _forget_dead_attempts(job: Job) -> None:
    """Clear what killed runs left; none is at work now, since this one holds the lock."""
    scratch.clear_dead(job.scratch)
    in_transaction(job.engine, lambda connection: staging.clear(connection, processed_staging, PREFIX))


def _named(connection: Connection, days: DayRange, computed: Sequence[DayPart]) -> dict[str, DayPart]:
    """Return the batches to write by their names."""
    found = processed_store.outdated(connection, days, computed)
    return {processed_store.name_batch(connection, one): one for one in found}


def _write(job: Job, jdbc: Jdbc, rows: DataFrame, batches: Mapping[str, DayPart], attempt: str) -> int:
    batch_ids = {one.part: batch_id for batch_id, one in batches.items() if one.rows}
    if batch_ids:
        with step(f"Staged {sum(one.rows for one in batches.values()):,} rows"):
            jdbc.append(staging.with_batches(jdbc.spark, rows, batch_ids, attempt), processed_staging)
    if batches:
        with step(f"Moved {len(batches)} batches"):
            for batch_id, one in each(list(batches.items()), "Moving"):
                _replace(job, batch_id, attempt, one)
    return len(batches)


def _replace(job: Job, batch_id: str, attempt: str, rows: DayPart) -> None:
    in_transaction(job.engine, lambda c: processed_store.replace(c, batch_id, attempt, rows, job.now))
