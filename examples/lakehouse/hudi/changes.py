"""Debezium's messages as rows of a table: the columns that their schemas declare, and the changes. No I/O here.

A message is JSON with its schema: `{"schema": ..., "payload": {"before", "after", "source", "op", ...}}`.
"""

from collections.abc import Iterable, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

from examples.lakehouse.change_events import INSTANT, POSITION, position_columns, row_fields

KEY, DELETED = "id", "deleted"
BOOKKEEPING = {*POSITION, DELETED}
"""The columns that the source does not have."""
SPARK_TYPES = {
    "boolean": "BOOLEAN",
    "int16": "INT",
    "int32": "INT",
    "int64": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "STRING",
}

Columns = Mapping[str, str]
"""Names and Spark types of a table's columns, in their order."""


def declared_columns(schema: str) -> Columns:
    """Return the columns of the rows in a message, from the message's schema in JSON."""
    return {field["field"]: _spark_type(field) for field in row_fields(schema)}


def _spark_type(field: Mapping[str, str]) -> str:
    if field.get("name") == INSTANT:
        return "TIMESTAMP"
    if "name" in field or field["type"] not in SPARK_TYPES:
        kind = field.get("name", field["type"])
        raise ValueError(f"Column {field['field']!r} has the unknown type {kind!r}; add it to SPARK_TYPES.")
    return SPARK_TYPES[field["type"]]


def merged(columns: Columns, others: Iterable[Columns]) -> Columns:
    """Return the columns and, after them, the new ones of others; a column may come or go, but its type may not change.

    Raises:
        ValueError: a column has two types.
    """
    union = dict(columns)
    for declared in others:
        for name, kind in declared.items():
            if union.setdefault(name, kind) != kind:
                raise ValueError(f"Column {name!r} was {union[name]} and is now {kind}: only new columns are followed.")
    return union


def change_rows(messages: DataFrame, columns: Columns) -> DataFrame:
    """Return a row for each change in messages (`value`, `offset`): its position, whether it deletes, and the columns.

    A deletion has its key only. Columns that a message does not have are null.
    """
    wire = ", ".join(f"{name} {'BIGINT' if kind == 'TIMESTAMP' else kind}" for name, kind in columns.items())
    schema = (
        f"payload STRUCT<before STRUCT<{KEY} {columns[KEY]}>, after STRUCT<{wire}>,"
        " source STRUCT<file STRING, pos BIGINT>, op STRING>"
    )
    json_text = F.col("value").cast("string")
    parsed = messages.where("value IS NOT NULL").select(  # null follows a deletion, for the compaction of the topic
        F.from_json(json_text, schema, {"mode": "FAILFAST"}).getField("payload").alias("change"), "offset"
    )
    return parsed.select(
        *position_columns("change."), _is_deletion().alias(DELETED), *(_value(*pair) for pair in columns.items())
    )


def _is_deletion() -> Column:
    operation = F.col("change.op")
    unknown = F.raise_error(F.concat(F.lit("A change has the unknown operation "), operation))
    return F.when(operation == "d", F.lit(True)).when(operation.isin("r", "c", "u"), F.lit(False)).otherwise(unknown)


def _value(name: str, kind: str) -> Column:
    if name == KEY:
        return F.coalesce(f"change.after.{KEY}", f"change.before.{KEY}").alias(KEY)
    value = F.col(f"change.after.{name}")
    return (F.timestamp_micros(value) if kind == "TIMESTAMP" else value).alias(name)
