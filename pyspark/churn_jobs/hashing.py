"""The hash of rows' content, computed by Spark part by part; the order of rows has no say. No I/O here."""

import hashlib
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812

from churn_jobs.batches import DayPart, Part, parts_for
from driftline.columns import Processed

PIECES = 4
"""A row is hashed by so many functions of 64 bits; the hashes of all rows are joined by exclusive or."""


def part_number(parts: int) -> Column:
    """Give the number of the part that a row's subscriber falls into; MySQL's CRC32 says the same."""
    return F.pmod(F.crc32(Processed.USER), F.lit(parts)).cast("int")


def day_parts(rows: DataFrame, columns: Sequence[str | Column]) -> list[DayPart]:
    """Count and hash the rows of each day, or of its parts where days are large; ordered by day and part.

    `rows` has Date and User, which together are distinct. The answer is as long as there are days and parts.
    """
    most = rows.groupBy(Processed.DATE).count().agg(F.max("count")).collect()[0][0]
    parts = parts_for(most or 0)
    grouped = rows.withColumn("part", part_number(parts)).groupBy(Processed.DATE, "part")
    counted = grouped.agg(F.count(F.lit(1)).alias("rows"), *_joined(columns)).collect()
    found = [DayPart(Part(row[Processed.DATE], row["part"], parts), row["rows"], _hash(row)) for row in counted]
    return sorted(found, key=lambda one: (one.part.day, one.part.number))


def content_hash(rows: DataFrame, columns: Sequence[str | Column]) -> str:
    """Hash all rows, which must be distinct."""
    return _hash(rows.agg(F.count(F.lit(1)).alias("rows"), *_joined(columns)).collect()[0])


def _joined(columns: Sequence[str | Column]) -> list[Column]:
    """Hash every value and whether it is NULL, which the hash function by itself passes over."""
    values = [part for column in columns for part in (F.isnull(column), column)]
    return [F.bit_xor(F.xxhash64(F.lit(n), *values)).alias(f"piece_{n}") for n in range(PIECES)]


def _hash(row: Row) -> str:
    pieces = [row["rows"], *(row[f"piece_{n}"] for n in range(PIECES))]
    return hashlib.sha256(" ".join(map(str, pieces)).encode()).hexdigest()
