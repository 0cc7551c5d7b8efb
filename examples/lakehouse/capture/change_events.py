"""Reads Debezium's change events in Spark 3.5 and 4: columns and types come with each event's schema.

An event is JSON: `{"schema": ..., "payload": {"before", "after", "source", "op", ...}}`. `DataFrame -> DataFrame`; no
I/O here but the few distinct schemas of a batch.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  (the usual name)

KEY = "id"
INSTANT = "io.debezium.time.MicroTimestamp"
TYPES: Mapping[str, str] = {
    "boolean": "BOOLEAN",
    "int16": "INT",
    "int32": "INT",
    "int64": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": "STRING",
}
"""The types of Connect and those of Spark."""
SOURCE = "source STRUCT<file STRING, pos BIGINT, ts_ms BIGINT>"
POSITION = ("change_file", "change_pos", "change_offset")
"""By which changes are in order: the position of their transaction in the source's binary log, and the topic's offset.

Debezium gives all changes of a transaction in MariaDB the same position. It repeats them in order, to the last one.
"""
OPERATION, COMMITTED = "operation", "committed_ms"
DELETE, OTHERS = "d", ("c", "r", "u")
"""The operation of a deletion, and those that leave a row."""

Columns = Mapping[str, str]
"""Names and Spark types of a table's columns, in their order."""


@dataclass(frozen=True)
class BatchSummary:
    """A micro-batch: changed rows by operation, and position and time of the newest change in the source."""

    operations: Mapping[str, int]
    file: str
    position: int
    committed_at: datetime

    @property
    def changes(self) -> int:
        """How many rows it changes."""
        return sum(self.operations.values())

    @property
    def version(self) -> str:
        """The position of the newest change in the source, which names what a sink has."""
        return f"{self.file}:{self.position}"


def declared_columns(schema: str) -> Columns:
    """Return the columns of the rows in an event, from the event's schema in JSON.

    Raises:
        ValueError: a column has a type that is not in `TYPES`.
    """
    fields = {field["field"]: field for field in json.loads(schema)["fields"]}
    return {field["field"]: _spark_type(field) for field in fields["after"]["fields"]}


def _spark_type(field: Mapping[str, str]) -> str:
    if field.get("name") == INSTANT:
        return "TIMESTAMP"
    if "name" in field or field["type"] not in TYPES:
        kind = field.get("name", field["type"])
        raise ValueError(f"Column {field['field']!r} has the unknown type {kind!r}; add it to TYPES.")
    return TYPES[field["type"]]


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


def columns_of(messages: DataFrame) -> Columns:
    """Return the columns that the schemas of messages (`value`) declare, those of the smallest schema first.

    Null messages declare none.

    Raises:
        ValueError: a message has no schema, so it is no event, or a column has an unknown type or two types.
    """
    schema = F.get_json_object(_text(), "$.schema").alias("schema")
    schemas = [row["schema"] for row in messages.where("value IS NOT NULL").select(schema).distinct().collect()]
    if None in schemas:
        raise ValueError("A message of the topic has no schema; set value.converter.schemas.enable of Connect to true.")
    return merged({}, map(declared_columns, sorted(schemas, key=len)))


def read_changes(messages: DataFrame, columns: Columns) -> DataFrame:
    """Return a row for each change in messages (`offset`, `value`): columns, position, operation, time of its commit.

    Of a deleted row only the key is kept. Columns that an event does not have are null. Null messages, which follow
    deletions for the compaction of the topic, are left out; a text that is no event, or another operation, fails.
    """
    wire = ", ".join(f"`{name}` {'BIGINT' if kind == 'TIMESTAMP' else kind}" for name, kind in columns.items())
    row = f"op STRING, {SOURCE}, before STRUCT<{KEY} {columns[KEY]}>, after STRUCT<{wire}>"
    change = F.from_json(_text(), f"payload STRUCT<{row}>", {"mode": "FAILFAST"}).getField("payload")
    parsed = messages.where("value IS NOT NULL").select("offset", change.alias("change"))
    positions = ("change.source.file", "change.source.pos", "offset")
    return parsed.select(
        *(_value(name, kind) for name, kind in columns.items()),
        *(F.col(column).alias(name) for column, name in zip(positions, POSITION, strict=True)),
        _operation().alias(OPERATION),
        F.col("change.source.ts_ms").alias(COMMITTED),
    )


def newest_changes(changes: DataFrame) -> DataFrame:
    """Return the last change of each key; a batch may have several, and the same one repeatedly."""
    newest = F.max_by(F.struct(*changes.columns), F.struct(*POSITION)).alias("change")
    return changes.groupBy(KEY).agg(newest).select("change.*")


def is_later(change: str, row: str) -> Column:
    """Return whether the position of an aliased change is after that of an aliased row."""
    first, second = (F.struct(*(F.col(f"{alias}.{name}") for name in POSITION)) for alias in (change, row))
    return first > second


def summary_of(changes: DataFrame) -> BatchSummary:
    """Return the operations and the newest of the changes, of which there is one at least."""
    newest = F.max(F.struct(*POSITION)).alias("newest")
    rows = changes.groupBy(OPERATION).agg(F.count("*").alias("rows"), newest, F.max(COMMITTED).alias(COMMITTED))
    by_operation = {row[OPERATION]: row for row in rows.collect()}
    file, position, _ = max(row["newest"] for row in by_operation.values())
    committed = max(row[COMMITTED] or 0 for row in by_operation.values())
    operations = {operation: row["rows"] for operation, row in by_operation.items()}
    return BatchSummary(operations, file, position, datetime.fromtimestamp(committed / 1000, UTC))


def _text() -> Column:
    return F.col("value").cast("string")


def _operation() -> Column:
    operation = F.col("change.op")
    unknown = F.raise_error(F.concat(F.lit("A change has the unknown operation "), operation))
    return F.when(operation.isin(DELETE, *OTHERS), operation).otherwise(unknown)


def _value(name: str, kind: str) -> Column:
    if name == KEY:
        return F.coalesce(f"change.after.{KEY}", f"change.before.{KEY}").alias(KEY)
    value = F.col(f"change.after.`{name}`")
    return (F.timestamp_micros(value) if kind == "TIMESTAMP" else value).alias(name)
