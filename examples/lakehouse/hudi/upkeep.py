"""The upkeep of a table, while nothing else writes into it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession

from examples.lakehouse.hudi.changes import DELETED
from examples.lakehouse.hudi.tables import COMMIT_TIME, MERGE_ON_READ, Table


def compact(spark: SparkSession, table: Table) -> Iterator[str]:
    """Merge the logs of a table that is merged on read into its files, and yield a line with their numbers."""
    if table.kind == MERGE_ON_READ:
        _, before = table.files(spark)
        limit = "hoodie.compact.inline.max.delta.commits=1"
        call = f"CALL run_compaction(op => 'scheduleAndExecute', path => '{table.path}', options => '{limit}')"
        spark.sql(call).collect()
        bases, after = table.files(spark)
        yield f"{table.name}: {before} logs before the compaction, {after} after it; {bases} files"


def forget(spark: SparkSession, table: Table, days: float) -> Iterator[str]:
    """Delete the rows of deletions that were written so many days ago, and yield a line with their number.

    A change of such an order that comes still later, though it precedes the deletion, would store the order again.
    """
    before = datetime.now(UTC) - timedelta(days=days)
    old = table.rows(spark).where(DELETED).where(f"{COMMIT_TIME} < '{before:%Y%m%d%H%M%S}'").persist()
    count = old.count()
    if count:
        table.delete(old)
    old.unpersist()
    yield f"{table.name}: {count:,} deletions forgotten"
