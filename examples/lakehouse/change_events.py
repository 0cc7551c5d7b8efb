"""Reads Debezium's change events: columns and types come with each event, so new columns of the source are seen.

`DataFrame -> DataFrame`; no I/O here but the few distinct schemas of a batch.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  (the usual name)
from pyspark.sql.types import (
    DataType,
    DoubleType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
)

INSTANT = "io.debezium.time.MicroTimestamp"
TYPES: Mapping[str, DataType] = {
    "int16": IntegerType(),
    "int32": IntegerType(),
    "int64": LongType(),
    "double": DoubleType(),
    "string": StringType(),
}
"""The types of Connect and those of the lake."""
SOURCE = "source STRUCT<file: STRING, pos: BIGINT, ts_ms: BIGINT>"
POSITION = ("change_file", "change_pos", "change_offset")
"""By which changes are in order: the position of their transaction in the source's binary log, and the topic's offset.

Debezium gives all changes of a transaction in MariaDB the same position. It repeats them in order, to the last one.
"""
OPERATION, COMMITTED = "operation", "committed_ms"
DELETE = "d"


def read_changes(messages: DataFrame) -> DataFrame:
    """Return a change for each message: the columns of its row, position, operation, and the time of its commit.

    `messages` have `offset` and `value`, the text of an event; there is one at least. Of a deleted row only the id is
    kept.
    """
    schemas = messages.select(F.get_json_object("value", "$.schema")).distinct().collect()
    columns = row_columns(row[0] for row in schemas)
    events = messages.select("offset", F.get_json_object("value", "$.payload").alias("event"))
    row = StructType([StructField(name, TYPES[kind]) for name, (kind, _) in columns.items()])
    payload = f"op STRING, {SOURCE}, before STRUCT<id: BIGINT>, after {row.simpleString()}"
    parsed = events.select("offset", F.from_json("event", payload).alias("event")).select("offset", "event.*")
    values = [_value(name, meaning) for name, (_, meaning) in columns.items() if name != "id"]
    return parsed.select(
        F.coalesce("after.id", "before.id").alias("id"),
        *values,
        *position_columns(),
        F.col("op").alias(OPERATION),
        F.col("source.ts_ms").alias(COMMITTED),
    )


def newest_changes(changes: DataFrame) -> DataFrame:
    """Return the last change of each id; a batch may have several, and the same one repeatedly."""
    newest = F.max_by(F.struct(*changes.columns), F.struct(*POSITION)).alias("change")
    return changes.groupBy("id").agg(newest).select("change.*")


def is_later(change: str, row: str) -> Column:
    """Return whether the position of an aliased change is after that of an aliased row."""
    first, second = (F.struct(*(F.col(f"{alias}.{name}") for name in POSITION)) for alias in (change, row))
    return first > second


def row_columns(schemas: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return the columns of all schemas in order, each with its type and meaning; later ones win."""
    columns: dict[str, tuple[str, str]] = {}
    for schema in sorted(schemas, key=len):  # a schema that grew is the later one
        columns |= {field["field"]: _kind(field) for field in row_fields(schema)}
    return columns


def row_fields(schema: str) -> list[dict[str, Any]]:
    """Return the fields of a row as a message's schema declares them."""
    fields = {field["field"]: field for field in json.loads(schema)["fields"]}
    declared: list[dict[str, Any]] = fields["after"]["fields"]
    return declared


def position_columns(event: str = "") -> list[Column]:
    """Return the position of an event, whose fields are below a prefix such as `change.`."""
    columns = (f"{event}source.file", f"{event}source.pos", "offset")
    return [F.col(column).alias(name) for column, name in zip(columns, POSITION, strict=True)]


def _kind(field: Mapping[str, Any]) -> tuple[str, str]:
    return field["type"], field.get("name", "")


def _value(name: str, meaning: str) -> Column:
    value = F.col(f"after.{name}")
    return (F.timestamp_micros(value) if meaning == INSTANT else value).alias(name)
