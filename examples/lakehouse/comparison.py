"""Compares the shop's orders with their copies, row for row."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from pyspark.sql import SparkSession
from sqlalchemy import Engine, column, inspect, select, table
from sqlalchemy.exc import DBAPIError

from examples.lakehouse.lake import iceberg
from examples.lakehouse.shop.database import ShopDatabase
from examples.lakehouse.shop.orders import COPY, ORDERS, SHOP

Row = tuple[Any, ...]
MOST_SHOWN = 3


def differences(database: ShopDatabase, spark: SparkSession) -> list[str]:
    """Return the rows in which the copy or the lake differ from the source, as lines; none where all are equal.

    The lake is read only if the copy is equal, since this takes longer.
    """
    columns, rows = database_rows(database.engine("auditor", SHOP))
    try:
        copied = database_rows(database.engine("auditor", COPY), columns)[1]
    except DBAPIError:  # the copy does not exist, or lacks a column
        copied = []
    return row_differences("the copy", rows, copied) or row_differences("the lake", rows, lake_rows(spark, columns))


def database_rows(engine: Engine, columns: Sequence[str] = ()) -> tuple[Sequence[str], list[Row]]:
    """Return the names of the columns and all rows of the table of a schema."""
    try:
        names = columns or [described["name"] for described in inspect(engine).get_columns(ORDERS.name)]
        with engine.connect() as connection:
            rows = connection.execute(select(*(column(name) for name in names)).select_from(table(ORDERS.name)))
            return names, [tuple(row) for row in rows]
    finally:
        engine.dispose()


def lake_rows(spark: SparkSession, columns: Sequence[str]) -> list[Row]:
    """Return all rows of the lake with the named columns, which it may still lack; instants are in UTC."""
    if not spark.catalog.tableExists(iceberg.ORDERS):
        return []
    orders = spark.table(iceberg.ORDERS)
    if missing := {*columns} - {*orders.columns}:
        return [(f"no column {', '.join(sorted(missing))}",)]
    kinds = {name: "timestamp_ntz" if kind == "timestamp" else kind for name, kind in orders.dtypes}
    rows = orders.select(*(orders[name].cast(kinds[name]) for name in columns)).collect()
    return [tuple(row) for row in rows]


def row_differences(name: str, rows: Iterable[Row], copied: Iterable[Row]) -> list[str]:
    """Return lines about the rows that a copy lacks or has beyond those of the source; a row counts each time."""
    expected, present = Counter(rows), Counter(copied)
    missing, surplus = (
        sorted((more - fewer).elements(), key=str) for more, fewer in ((expected, present), (present, expected))
    )
    if not missing and not surplus:
        return []
    return [
        f"{name}: {len(missing):,} rows are missing, {len(surplus):,} are surplus",
        *(f"{name} lacks {row}" for row in missing[:MOST_SHOWN]),
        *(f"{name} has {row}" for row in surplus[:MOST_SHOWN]),
    ]
