"""What the tables have: their orders, those of an earlier instant, and what has changed since then."""

from collections.abc import Iterator
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from examples.lakehouse.hudi.changes import BOOKKEEPING, DELETED
from examples.lakehouse.hudi.tables import META, Table, earliest_readable


def summary(spark: SparkSession, table: Table) -> Iterator[str]:
    """Yield the lines about a table that exists; the earlier instant is that of the oldest write with all its files."""
    instants = table.instants(spark)
    first = earliest_readable(instants, table.retained_from(spark)).completed
    orders, deleted = _counts(table.rows(spark))
    bases, logs = table.files(spark)
    yield f"{table.name}: {orders:,} orders, {deleted:,} deleted; {bases} files, {logs} logs, {len(instants)} writes"
    earlier, _ = _counts(table.rows(spark, **{"as.of.instant": first}))
    yield f"  as of {first}: {earlier:,} orders"
    changed, deleted = _counts(table.changed_since(spark, first))
    yield f"  since then: {changed:,} orders new or changed, {deleted:,} deleted"


def write_rows(spark: SparkSession, table: Table, folder: Path) -> None:
    """Write the columns of the source, of orders that are not deleted, into a folder of Parquet files."""
    rows = table.rows(spark)
    kept = [name for name in rows.columns if not name.startswith(META) and name not in BOOKKEEPING]
    rows.where(f"NOT {DELETED}").select(*kept).write.parquet((folder / table.name).absolute().as_uri())


def _counts(rows: DataFrame) -> tuple[int, int]:
    """Return how many rows are orders, and how many record a deletion."""
    counts = {row[DELETED]: row["count"] for row in rows.groupBy(DELETED).count().collect()}
    return counts.get(False, 0), counts.get(True, 0)
