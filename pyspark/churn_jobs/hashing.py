"""The hash of rows' content, computed by Spark part by part; the order of rows has no say. No I/O here."""

import hashlib
from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812

from churn.columns import Processed
from churn_jobs.batches import DayPart, Part, parts_for

Columns = Sequence[str | Column]
PIECES = 4
"""A row is hashed by so many functions of 64 bits; the hashes of all rows are joined by exclusive or."""


def part_number(parts: int) -> Column:
    """Return the number of the part that a row's subscriber falls into; MySQL's CRC32 says the same."""
    return F.pmod(F.crc32(Processed.USER), F.lit(parts)).cast("int")


def day_parts(rows: DataFrame, hashed: Mapping[str, Columns]) -> dict[str, list[DayPart]]:
    """Count and hash the rows of each day, or of its parts where days are large; ordered by day and part.

    `rows` has Date and User, which together are distinct; `hashed` names one or several choices of columns, and each
    has its own hashes in the answer. The answer is as long as there are days and parts.
    """
    whole = _day_parts(rows, hashed, parts=1)
    parts = parts_for(max((row["rows"] for row in whole), default=0))
    found = whole if parts == 1 else _day_parts(rows, hashed, parts)
    return {name: [_day_part(row, name, parts) for row in found] for name in hashed}


def _day_parts(rows: DataFrame, hashed: Mapping[str, Columns], parts: int) -> list[Row]:
    pieces = [piece for name, columns in hashed.items() for piece in _joined(name, columns)]
    grouped = rows.withColumn("part", part_number(parts)).groupBy(Processed.DATE, "part")
    found = grouped.agg(F.count(F.lit(1)).alias("rows"), *pieces).collect()
    return sorted(found, key=lambda row: (row[Processed.DATE], row["part"]))


def _day_part(row: Row, name: str, parts: int) -> DayPart:
    return DayPart(Part(row[Processed.DATE], row["part"], parts), row["rows"], _hash(row, name))


def content_hash(rows: DataFrame, columns: Columns) -> str:
    """Hash all rows, which must be distinct."""
    (row,) = rows.agg(F.count(F.lit(1)).alias("rows"), *_joined("all", columns)).collect()
    return _hash(row, "all")


def _joined(name: str, columns: Columns) -> list[Column]:
    """Hash every value and whether it is NULL, which the hash function by itself passes over."""
    values = [part for column in columns for part in (F.isnull(column), column)]
    return [F.bit_xor(F.xxhash64(F.lit(n), *values)).alias(f"{name}_{n}") for n in range(PIECES)]


def _hash(row: Row, name: str) -> str:
    pieces = [row["rows"], *(row[f"{name}_{n}"] for n in range(PIECES))]
    return hashlib.sha256(" ".join(map(str, pieces)).encode()).hexdigest()
