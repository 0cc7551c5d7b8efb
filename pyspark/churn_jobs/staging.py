"""Staging tables: rows wait there under (batch, attempt) for the one transaction that moves them."""

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
    """Fewer or more rows were staged than computed; nothing was moved. Run the job again."""


def with_batches(spark: SparkSession, rows: DataFrame, batch_ids: Mapping[Part, str], attempt: str) -> DataFrame:
    """Give each row of these parts its batch id and the attempt's name; rows of other parts are left out."""
    parts = next(iter(batch_ids)).parts
    named = [(part.day, part.number, batch_id) for part, batch_id in batch_ids.items()]
    names = F.broadcast(spark.createDataFrame(named, BATCH_SCHEMA))
    numbered = rows.withColumn("part", part_number(parts))
    return numbered.join(names, [Processed.DATE, "part"]).drop("part").withColumn("attempt", F.lit(attempt))


def require_staged(connection: Connection, staging: Table, batch_id: str, attempt: str, rows: int) -> None:
    """Check that as many rows wait as were computed.

    Raises:
        StagedRowsMissing: it is another number.
    """
    here = (staging.c.batch_id == batch_id) & (staging.c.attempt == attempt)
    found = connection.execute(select(func.count()).select_from(staging).where(here)).scalar_one()
    if found != rows:
        raise StagedRowsMissing(f"{found} rows of batch {batch_id!r} were staged, not {rows}; run the job again.")


def clear(connection: Connection, staging: Table, prefix: str) -> None:
    """Delete what dead attempts left of batches whose id begins so."""
    connection.execute(delete(staging).where(staging.c.batch_id.startswith(prefix, autoescape=True)))
