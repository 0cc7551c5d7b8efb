"""Keeps what the monitor has archived of its predictions in an Iceberg table of the lake, row for row.

An archived object never changes. One that was written again, since rows of it were erased for instance, has another
address: its rows replace those of the object before, in one commit.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

from examples.lakehouse.lake.iceberg import LAKE, add_columns
from examples.lakehouse.shop.orders import MODEL
from examples.servers import Servers

PREDICTIONS, OBJECT = f"{LAKE}.monitor.predictions", "archived_object"
"""The table, and its column with the address of the object that a row is from, by which it is partitioned."""


@dataclass(frozen=True)
class ArchivedObject:
    """A Parquet object of the archive that counts: its address, and how many rows it has."""

    address: str
    rows: int


def archive(servers: Servers) -> list[ArchivedObject]:
    """Have the monitor archive all days that are complete, and return the objects that count then."""
    servers.run("-m", "driftline", "models", "retention", MODEL, "--archive-after", "0")
    servers.run("-m", "driftline", "db", "archive", "--model", MODEL)
    lines = servers.run("-m", "driftline", "db", "archive", "--list", "--model", MODEL).splitlines()
    entries = (json.loads(line) for line in lines if line.startswith("{"))
    return [ArchivedObject(entry["address"], entry["rows"]) for entry in entries]


def keep(spark: SparkSession, objects: Sequence[ArchivedObject]) -> Iterator[str]:
    """Let the table have the rows of these objects and no others, and yield a line; again, it changes nothing."""
    kept = _kept(spark)
    gone = sorted(kept - {stored.address for stored in objects})
    new = [stored for stored in objects if stored.address not in kept]
    if new:
        _write(spark, [_rows(spark, stored) for stored in new], gone)
    elif gone:
        spark.table(PREDICTIONS).limit(0).writeTo(PREDICTIONS).overwrite(F.col(OBJECT).isin(*gone))
    rows = sum(stored.rows for stored in objects)
    yield (f"{PREDICTIONS} has {rows:,} archived predictions: of {len(new)} new objects, and no longer of {len(gone)}.")


def expire(spark: SparkSession) -> Iterator[str]:
    """Delete the snapshots before the current one, which have rows that were erased since, and yield a line."""
    now = spark.sql("SELECT current_timestamp()").collect()[0][0]
    older = f"older_than => TIMESTAMP '{now:%Y-%m-%d %H:%M:%S.%f}', retain_last => 1"
    (expired,) = spark.sql(f"CALL {LAKE}.system.expire_snapshots(table => '{PREDICTIONS}', {older})").collect()
    yield f"Earlier snapshots of {PREDICTIONS} are expired: {expired['deleted_data_files_count']} files are deleted."


def _kept(spark: SparkSession) -> set[str]:
    """Return the addresses of the objects whose rows the table has."""
    if not spark.catalog.tableExists(PREDICTIONS):
        return set()
    return {row[0] for row in spark.table(f"{PREDICTIONS}.partitions").select(f"partition.{OBJECT}").collect()}


def _rows(spark: SparkSession, stored: ArchivedObject) -> DataFrame:
    """Return the rows of an object.

    Raises:
        ValueError: it has another number of rows than the monitor says.
    """
    rows = spark.read.parquet(stored.address.replace("s3://", "s3a://", 1)).withColumn(OBJECT, F.lit(stored.address))
    if (count := rows.count()) != stored.rows:
        raise ValueError(f"{stored.address} has {count:,} rows, not {stored.rows:,}; archive again.")
    return rows


def _write(spark: SparkSession, frames: Sequence[DataFrame], gone: Sequence[str]) -> None:
    """Add frames to the table, which is made for the first of them, and remove the rows of some objects with it."""
    rows = reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), frames)
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {LAKE}.monitor")
    if not spark.catalog.tableExists(PREDICTIONS):
        rows.writeTo(PREDICTIONS).using("iceberg").partitionedBy(F.col(OBJECT)).create()
        return
    add_columns(PREDICTIONS, rows)
    absent = spark.table(PREDICTIONS).limit(0)
    complete = absent.unionByName(rows, allowMissingColumns=True)
    if gone:
        complete.writeTo(PREDICTIONS).overwrite(F.col(OBJECT).isin(*gone))
    else:
        complete.writeTo(PREDICTIONS).append()
