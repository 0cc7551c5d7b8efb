"""Turn raw records into one row per subscriber and day, in `Processed_Data` and as Parquet files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import uuid4

from pyspark.sql import DataFrame
from sqlalchemy import Connection, func, select

from churn import migrate
from churn.columns import TRAILING_DAYS, Cdr
from churn.tables import cdr, processed, processed_staging
from churn_jobs import scratch
from churn_jobs.batches import DayPart
from churn_jobs.days import DayRange, RequestedDays, choose
from churn_jobs.hashing import day_parts
from churn_jobs.prepared import features, processed_store, staging
from churn_jobs.prepared.prepared_files import PreparedFiles
from churn_jobs.progress import each, say, step
from churn_jobs.spark.jdbc import Jdbc
from churn_jobs.spark.job import Job
from driftline.lineage import runs
from driftline.lineage.datasets import object_dataset, table_dataset
from driftline.store.database import in_transaction
from driftline.store.job_lock import only_one

CURE = "Load raw data first: `python -m flaskapp.load_history`, or `make demo`."
PREFIX = "prepare/"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The result of a run: its days, their rows, and how many batches and files it wrote."""

    days: DayRange
    rows: int
    batches: int
    files: int


def prepare(job: Job, requested: RequestedDays) -> Prepared:
    """Prepare the requested days; a repeated run, also after a killed one, gives the same table.

    Raises:
        NotFound: there are no records. InvalidInput: the range is not available. Conflict: another run is active.
    """
    migrate.require_current(job.engine)
    runs.read(table_dataset(job.engine.url, cdr))
    with only_one(job.engine, "prepare_data"):
        days = choose(requested, in_transaction(job.engine, recorded_days), cdr.name, CURE)
        with job.open_spark() as jdbc:
            run = _prepare(job, jdbc, days)
    _record_lineage(job, run)
    say(f"Prepared {run.days}: {run.rows:,} rows; {run.batches} batches and {run.files} files were new.")
    return run


def _record_lineage(job: Job, run: Prepared) -> None:
    """Record what a run wrote."""
    runs.wrote(
        table_dataset(job.engine.url, processed, rows=run.rows),
        object_dataset(job.objects.at("prepared"), fields=table_dataset(job.engine.url, processed).fields),
    )
    runs.note(days=str(run.days), batches_new=run.batches, files_new=run.files)


def recorded_days(connection: Connection) -> DayRange | None:
    """Return the days from the first to the last record, or None where there is none."""
    stamp = cdr.c[Cdr.DATE]
    first, last = connection.execute(select(func.min(stamp), func.max(stamp))).one()
    return DayRange(first.date(), last.date()) if first else None


def _prepare(job: Job, jdbc: Jdbc, days: DayRange) -> Prepared:
    """Compute the rows of the days, then write the Parquet files and the batches that have changed."""
    attempt, files = str(uuid4()), PreparedFiles(job.objects.under("prepared"), job.scratch)
    _forget_dead_attempts(job)
    records = jdbc.read(cdr, features.SOURCES, days.preceded_by(TRAILING_DAYS - 1), cdr.c[Cdr.DATE])
    rows = features.prepare(records, days).persist()
    try:
        with step(f"Read and prepared {days}"):
            computed = day_parts(rows, features.PREPARED)
        with step("Wrote Parquet"):
            written = files.replace(rows, days, computed)
        batches = _write(
            job, jdbc, rows, in_transaction(job.engine, lambda c: _batches_to_write(c, days, computed)), attempt
        )
        return Prepared(days, sum(part.rows for part in computed), batches, written)
    finally:
        rows.unpersist()


def _forget_dead_attempts(job: Job) -> None:
    """Delete the files and staged rows of killed runs; no other run is active, since this one holds the lock."""
    scratch.clear_dead(job.scratch)
    in_transaction(job.engine, lambda connection: staging.clear(connection, processed_staging, PREFIX))


def _batches_to_write(connection: Connection, days: DayRange, computed: Sequence[DayPart]) -> dict[str, DayPart]:
    """Return the batches to write by their names."""
    outdated = processed_store.outdated(connection, days, computed)
    return {processed_store.name_batch(connection, part): part for part in outdated}


def _write(job: Job, jdbc: Jdbc, rows: DataFrame, batches: Mapping[str, DayPart], attempt: str) -> int:
    batch_ids = {rows_of_part.part: batch_id for batch_id, rows_of_part in batches.items() if rows_of_part.rows}
    if batch_ids:
        with step(f"Staged {sum(rows_of_part.rows for rows_of_part in batches.values()):,} rows"):
            jdbc.append(staging.with_batches(jdbc.spark, rows, batch_ids, attempt), processed_staging)
    if batches:
        with step(f"Moved {len(batches)} batches"):
            for batch_id, rows_of_part in each(list(batches.items()), "Moving"):
                _replace(job, batch_id, attempt, rows_of_part)
    return len(batches)


def _replace(job: Job, batch_id: str, attempt: str, rows: DayPart) -> None:
    in_transaction(job.engine, lambda c: processed_store.replace(c, batch_id, attempt, rows, job.now))
