"""Staging tables: they hold rows under (batch, attempt) until one transaction moves them."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from sqlalchemy import Connection, Table, delete, func, select

from churn.columns import Processed
from churn_jobs.batches import Part
from churn_jobs.hashing import part_number
from driftline.errors import Conflict

BATCH_SCHEMA = f"{Processed.DATE} date, part int, batch_id string"


class StagedRowsMissing(Conflict):
    """The number of staged rows differs from the number computed, so no rows were moved; run the job again."""


def with_batches(spark: SparkSession, rows: DataFrame, batch_ids: Mapping[Part, str], attempt: str) -> DataFrame:
    """Add the batch id and the attempt's name to the rows of these parts; omit rows of other parts."""
    parts = next(iter(batch_ids)).parts
    named = [(part.day, part.number, batch_id) for part, batch_id in batch_ids.items()]
    names = F.broadcast(spark.createDataFrame(named, BATCH_SCHEMA))
    numbered = rows.withColumn("part", part_number(parts))
    return numbered.join(names, [Processed.DATE, "part"]).drop("part").withColumn("attempt", F.lit(attempt))


def require_staged(connection: Connection, staging: Table, batch_id: str, attempt: str, rows: int) -> None:
    """Check that as many rows are staged as were computed.

    Raises:
        StagedRowsMissing: the numbers differ.
    """
    batch_rows = (staging.c.batch_id == batch_id) & (staging.c.attempt == attempt)
    staged = connection.execute(select(func.count()).select_from(staging).where(batch_rows)).scalar_one()
    if staged != rows:
        raise StagedRowsMissing(f"{staged} rows of batch {batch_id!r} were staged, not {rows}; run the job again.")


def clear(connection: Connection, staging: Table, prefix: str) -> None:
    """Delete the staged rows of earlier attempts at batches whose id begins with `prefix`."""
    connection.execute(delete(staging).where(staging.c.batch_id.startswith(prefix, autoescape=True)))
