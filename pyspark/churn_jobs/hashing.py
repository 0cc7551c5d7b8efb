"""A hash of rows' content that does not depend on their order, computed by Spark for each part. No I/O here."""

import hashlib
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import Processed
from churn_jobs.batches import DayPart, Part, parts_for

Columns = Sequence[str | Column]
PIECES = 4
"""The number of 64-bit hash functions applied to a row; the hashes of all rows are combined by exclusive or."""


def part_number(parts: int) -> Column:
    """Return the number of the part of a row's subscriber; MySQL's CRC32 computes the same number."""
    return F.pmod(F.crc32(Processed.USER), F.lit(parts)).cast("int")


def day_parts(rows: DataFrame, columns: Columns) -> list[DayPart]:
    """Count the rows of each day, or of its parts where days are large, and hash these columns; by day and part.

    `rows` has Date and User, which together are distinct. The result has one entry for each day and part.
    """
    days = _day_parts(rows, columns, parts=1)
    parts = parts_for(max((day.rows for day in days), default=0))
    return days if parts == 1 else _day_parts(rows, columns, parts)


def _day_parts(rows: DataFrame, columns: Columns, parts: int) -> list[DayPart]:
    grouped = rows.withColumn("part", part_number(parts)).groupBy(Processed.DATE, "part")
    counted = grouped.agg(F.count(F.lit(1)).alias("rows"), *_joined(columns)).collect()
    ordered = sorted(counted, key=lambda row: (row[Processed.DATE], row["part"]))
    return [DayPart(Part(row[Processed.DATE], row["part"], parts), row["rows"], _hash(row)) for row in ordered]


def content_hash(rows: DataFrame, columns: Columns) -> str:
    """Return the hash of all rows, which must be distinct."""
    (row,) = rows.agg(F.count(F.lit(1)).alias("rows"), *_joined(columns)).collect()
    return _hash(row)


def _joined(columns: Columns) -> list[Column]:
    """Hash every value and whether it is NULL, since the hash function ignores NULL."""
    values = [part for column in columns for part in (F.isnull(column), column)]
    return [F.bit_xor(F.xxhash64(F.lit(n), *values)).alias(f"hash_{n}") for n in range(PIECES)]


def _hash(row: Row) -> str:
    pieces = [row["rows"], *(row[f"hash_{n}"] for n in range(PIECES))]
    return hashlib.sha256(" ".join(map(str, pieces)).encode()).hexdigest()
