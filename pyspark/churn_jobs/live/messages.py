"""Messages of the topic of records, as Spark reads them: committed ones only."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StringType, StructField, StructType

from churn.columns import RECORD_SCHEMA_VERSION, Cdr, Processed
from driftline.errors import InvalidInput
from driftline.kafka import java_options
from driftline.settings import KafkaSettings
from driftline.spans import TRACEPARENT

FIELDS = StructType([StructField(name, StringType()) for name in (Cdr.RECORD_ID, Cdr.DATE, Cdr.MSISDN)])
"""The fields that are read; usage is read from the table, where the record was stored before it was published."""
VERSION, PLACE, VALUE, TRACE = "version", "place", "value", "trace"
LONGEST_USER = 20
FETCH_MILLISECONDS = 20
"""How long the broker may wait for messages after the last one: the end of a transaction is read like a message."""
SHOWN_VALUE = 2_000


@dataclass(frozen=True, slots=True)
class InvalidMessage:
    """A message that is not a record: its place (`topic/partition/offset`), and the beginning of its text."""

    place: str
    value: str


@dataclass(frozen=True)
class Messages:
    """The messages of a micro-batch: the records' subscriber-days (columns Date and User), and what is not a record.

    `traces` are those in which they were published, where traces were recorded.
    """

    records: pd.DataFrame
    invalid: Sequence[InvalidMessage]
    traces: Sequence[str]


def read_topic(spark: SparkSession, kafka: KafkaSettings, topic: str, most: int) -> DataFrame:
    """Return the stream of a topic from its beginning, or from where the checkpoint ends; at most `most` at once.

    Raises:
        InvalidInput: a certificate, key or CA file of Kafka cannot be used.
    """
    options = {
        **{f"kafka.{name}": value for name, value in java_options(kafka).items()},
        "kafka.isolation.level": "read_committed",
        "kafka.fetch.max.wait.ms": str(FETCH_MILLISECONDS),
        "subscribe": topic,
        "startingOffsets": "earliest",
        "includeHeaders": "true",
        "maxOffsetsPerTrigger": str(most),
    }
    return spark.readStream.format("kafka").options(**options).load()


def parse(messages: DataFrame) -> DataFrame:
    """Turn messages into Date, User, the version of their fields, place and trace; unknown fields are ignored.

    Only what is not a record of this version has its place and its text.
    """
    text = F.col("value").cast("string")
    fields = F.from_json(text, FIELDS)
    user = fields[Cdr.MSISDN]
    parsed = messages.select(
        F.to_date(F.try_to_timestamp(fields[Cdr.DATE])).alias(Processed.DATE),
        F.when(F.length(user).between(1, LONGEST_USER), user).alias(Processed.USER),
        F.coalesce(_header("schema_version"), F.lit(str(RECORD_SCHEMA_VERSION))).alias(VERSION),
        F.concat_ws("/", "topic", "partition", "offset").alias(PLACE),
        text.alias(VALUE),
        _header(TRACEPARENT).alias(TRACE),
    )
    is_record = F.col(Processed.DATE).isNotNull() & F.col(Processed.USER).isNotNull()
    is_shown = ~is_record | (F.col(VERSION) != str(RECORD_SCHEMA_VERSION))
    shown = {PLACE: F.col(PLACE), VALUE: F.substring(VALUE, 1, SHOWN_VALUE)}
    return parsed.withColumns({name: F.when(is_shown, value) for name, value in shown.items()})


def _header(name: str) -> Column:
    """Return the text of a message's header, NULL without it; the records of earlier versions have none."""
    headers = F.filter("headers", lambda header: header["key"] == name)
    return F.try_element_at(headers, F.lit(1))["value"].cast("string")


def collect(parsed: DataFrame) -> Messages:
    """Return the messages of a micro-batch, which `parse` has turned into columns.

    Raises:
        InvalidInput: a message has another version of the fields; nothing is skipped, so a newer program goes on there.
    """
    rows = parsed.toPandas()
    newer = rows[rows[VERSION] != str(RECORD_SCHEMA_VERSION)]
    if len(newer):
        first = newer.iloc[0]
        raise InvalidInput(
            f"Message {first[PLACE]} has schema_version {first[VERSION]!r}, and this program reads "
            f"{RECORD_SCHEMA_VERSION}; install the version that reads it and start again: nothing was skipped."
        )
    is_record = rows[Processed.DATE].notna() & rows[Processed.USER].notna()
    invalid = [InvalidMessage(row[PLACE], row[VALUE] or "") for _, row in rows[~is_record].iterrows()]
    records = rows.loc[is_record, [Processed.DATE, Processed.USER]].drop_duplicates()
    return Messages(records, invalid, rows[TRACE].dropna().unique().tolist())
