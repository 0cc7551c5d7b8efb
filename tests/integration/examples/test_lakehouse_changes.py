"""Debezium's messages as rows in Spark: whatever the order of delivery, positions order them as the source did."""

import random
from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

from examples.lakehouse.capture.change_events import KEY, POSITION, columns_of, read_changes
from examples.lakehouse.hudi.changes import DELETED, table_rows
from tests.unit.examples.order_changes import delivered, orders_after, random_transactions

pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning"  # pyspark leaves them open
)


@pytest.mark.parametrize("seed", range(2))
def test_the_latest_positions_are_the_orders_of_the_source(example_spark: SparkSession, seed: int) -> None:
    generator = random.Random(seed)
    transactions = random_transactions(generator, 120, 40)
    values = [value for change in delivered(generator, transactions) for value in (change.value, None)]
    messages = example_spark.createDataFrame([*enumerate(values)], "offset BIGINT, value BINARY")
    columns = columns_of(messages)
    rows = table_rows(read_changes(messages, columns), columns)
    newest = rows.groupBy(KEY).agg(F.max_by(F.struct(DELETED, *columns), F.struct(*POSITION)).alias("newest"))
    stored = [row.asDict() for row in newest.select("newest.*").where(f"NOT {DELETED}").drop(DELETED).collect()]
    source = orders_after(change for changes in transactions for change in changes)
    assert {order[KEY]: {name: aware(value) for name, value in order.items()} for order in stored} == source


def aware(value: object) -> object:
    """Return an instant, which the driver has in the zone of the process without saying so, in UTC."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
