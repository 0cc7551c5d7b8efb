"""The rows of a Hudi table: those of the source, their positions, and which of them record a deletion. No I/O here."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

from examples.lakehouse.capture.change_events import DELETE, OPERATION, POSITION, Columns

DELETED = "deleted"
BOOKKEEPING = {*POSITION, DELETED}
"""The columns that the source does not have."""


def table_rows(changes: DataFrame, columns: Columns) -> DataFrame:
    """Return a row for each change: its position, whether it deletes, and the columns."""
    return changes.select(*POSITION, (F.col(OPERATION) == DELETE).alias(DELETED), *columns)
