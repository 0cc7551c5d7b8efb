"""What is done with the lake beside reading and writing it: time travel, changes between snapshots, and upkeep."""

from collections.abc import Iterator

from pyspark.sql import SparkSession

from examples.lakehouse.lake.iceberg import DELETED, KIND, LAKE, MAIN, ORDERS, TRAINED, changelog, references


def describe_history(spark: SparkSession) -> Iterator[str]:
    """Yield how the lake was when the model was trained, how it is, and what has changed between."""
    trained, orders = spark.read.option("tag", TRAINED).table(ORDERS), spark.table(ORDERS)
    yield f"When the model was trained the lake had {trained.count():,} orders; now it has {orders.count():,}."
    snapshots = references(spark)
    kinds = changelog(spark, snapshots[TRAINED], snapshots[MAIN]).groupBy(KIND).count().collect()
    changes = sorted((row[KIND], row["count"]) for row in kinds)
    yield "Changes since then: " + ", ".join(f"{kind} {number:,}" for kind, number in changes) + "."


def compact(spark: SparkSession) -> Iterator[str]:
    """Rewrite small files into few, expire the snapshots before the training, and yield what was done."""
    for table in (ORDERS, DELETED):
        few = "options => map('min-input-files', '2')"
        (rewritten,) = spark.sql(f"CALL {LAKE}.system.rewrite_data_files(table => '{table}', {few})").collect()
        before, after = rewritten["rewritten_data_files_count"], rewritten["added_data_files_count"]
        yield f"Compacted {table}: {before} files into {after}."
    trained = spark.table(f"{ORDERS}.snapshots").where(f"snapshot_id = {references(spark)[TRAINED]:d}")
    (at,) = trained.select("committed_at").collect()[0]
    older = f"older_than => TIMESTAMP '{at:%Y-%m-%d %H:%M:%S.%f}'"
    (expired,) = spark.sql(f"CALL {LAKE}.system.expire_snapshots(table => '{ORDERS}', {older})").collect()
    yield f"Snapshots before the training are expired: {expired['deleted_data_files_count']} files are deleted."
