"""The two Hudi tables of the orders: one is copied on write, the other is merged on read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from examples.lakehouse.capture.change_events import KEY, POSITION, Columns
from examples.lakehouse.hudi.changes import BOOKKEEPING

META, COMMIT_TIME = "_hoodie_", "_hoodie_commit_time"
COPY_ON_WRITE, MERGE_ON_READ, COMPACTED_AFTER = "COPY_ON_WRITE", "MERGE_ON_READ", 5
"""The types of tables, and the number of writes after which the job compacts."""
COMPLETED = re.compile(r"(\d+)_(\d+)\.(?:deltacommit|commit)$")
"""The name of a completed instant's file: when it was requested and when it was completed."""


@dataclass(frozen=True)
class Instant:
    """When a write was requested and when it was completed, which is what readers travel to."""

    requested: str
    completed: str


def earliest_readable(instants: Sequence[Instant], retained_from: str) -> Instant:
    """Return the earliest of some writes in order that the cleaner has kept the files of. No I/O here."""
    return next((instant for instant in instants if instant.requested >= retained_from), instants[-1])


@dataclass(frozen=True)
class Table:
    """A Hudi table: its type, and its address."""

    name: str
    kind: str
    path: str

    def options(self) -> Mapping[str, str]:
        """Return the options of a write.

        A row replaces the stored one of its key if its position is later, whenever it comes; of equal keys in a write
        the latest remains. The table has no partitions: keys are unique in a partition only.
        """
        return {
            "hoodie.table.name": self.name,
            "hoodie.datasource.write.table.type": self.kind,
            "hoodie.datasource.write.recordkey.field": KEY,
            "hoodie.datasource.write.keygenerator.class": "org.apache.hudi.keygen.NonpartitionedKeyGenerator",
            "hoodie.record.merge.mode": "EVENT_TIME_ORDERING",
            "hoodie.table.ordering.fields": ",".join(POSITION),
            "hoodie.embed.timeline.server": "false",
            "hoodie.metadata.enable": "false",
            "hoodie.upsert.shuffle.parallelism": "1",
            "hoodie.simple.index.parallelism": "1",
            "hoodie.compact.inline": str(self.kind == MERGE_ON_READ).lower(),
            "hoodie.compact.inline.max.delta.commits": f"{COMPACTED_AFTER}",
        }

    def upsert(self, rows: DataFrame) -> None:
        """Write rows by their keys."""
        self._write(rows, "upsert")

    def delete(self, rows: DataFrame) -> None:
        """Delete the rows with the keys of others."""
        self._write(rows, "delete")

    def _write(self, rows: DataFrame, operation: str) -> None:
        options = {**self.options(), "hoodie.datasource.write.operation": operation}
        rows.write.format("hudi").options(**options).mode("append").save(self.path)

    def rows(self, spark: SparkSession, **options: str) -> DataFrame:
        """Return the table's rows, those that record a deletion too; options choose an instant."""
        return spark.read.format("hudi").options(**options).load(self.path)

    def changed_since(self, spark: SparkSession, instant: str) -> DataFrame:
        """Return the rows that were written after the write that was completed at an instant."""
        increment = {
            "hoodie.datasource.query.type": "incremental",
            "hoodie.datasource.read.begin.instanttime": instant,
        }
        return self.rows(spark, **increment)

    def files(self, spark: SparkSession) -> tuple[int, int]:
        """Return how many files have the table's rows, and how many logs have changes that are to be merged in."""
        view = spark.sql(f"CALL show_fsview_latest(path => '{self.path}')")
        bases, logs = view.selectExpr("count(*)", "sum(num_delta_files)").collect()[0]
        return bases, logs

    def instants(self, spark: SparkSession) -> list[Instant]:
        """Return the writes that the timeline has, the oldest first; none if there is no table."""
        jvm: Any = spark._jvm
        timeline = jvm.org.apache.hadoop.fs.Path(f"{self.path}/.hoodie/timeline")
        files = timeline.getFileSystem(spark._jsc.hadoopConfiguration())
        if not files.exists(timeline):
            return []
        names = (status.getPath().getName() for status in files.listStatus(timeline))
        completed = (Instant(match[1], match[2]) for match in map(COMPLETED.match, names) if match)
        return sorted(completed, key=lambda instant: instant.completed)

    def retained_from(self, spark: SparkSession) -> str:
        """Return when the earliest write was requested whose files the cleaner has kept; empty if it kept all."""
        jvm: Any = spark._jvm
        configuration = jvm.org.apache.hudi.hadoop.fs.HadoopFSUtils.getStorageConf(spark._jsc.hadoopConfiguration())
        client = jvm.org.apache.hudi.common.table.HoodieTableMetaClient.builder()
        client = client.setConf(configuration).setBasePath(self.path).build()
        cleaning = client.getActiveTimeline().getCleanerTimeline().filterCompletedInstants().lastInstant()
        if not cleaning.isPresent():
            return ""
        metadata = jvm.org.apache.hudi.common.util.CleanerUtils.getCleanerMetadata(client, cleaning.get())
        return metadata.getEarliestCommitToRetain() or ""

    def columns(self, spark: SparkSession) -> Columns:
        """Return the columns of the source that the table has; none if it does not exist."""
        if not self.instants(spark):
            return {}
        fields = self.rows(spark).schema.fields
        return {
            field.name: field.dataType.simpleString().upper()
            for field in fields
            if not field.name.startswith(META) and field.name not in BOOKKEEPING
        }


def tables(root: str) -> tuple[Table, Table]:
    """Return the tables below an address."""
    return (
        Table("orders_cow", COPY_ON_WRITE, f"{root}/orders_cow"),
        Table("orders_mor", MERGE_ON_READ, f"{root}/orders_mor"),
    )
