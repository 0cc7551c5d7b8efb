"""Rows of a batch as typed columns, and as compressed Arrow blobs: encode, cut, decode, hash. No I/O here."""

import hashlib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from driftline.errors import DriftlineError, InvalidInput, SchemaMismatch

INSTANT_TYPE = pa.timestamp("us", tz="UTC")
TEXT_TYPE = pa.string()
NUMBER_TYPE = pa.float64()
BLOB_BYTES = 4 * 1024 * 1024
"""How many bytes of columns are at most compressed together; a server's `max_allowed_packet` is 16 MB or more."""
COMPRESSION = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1), use_threads=False)


class DamagedBatch(DriftlineError):
    """The stored rows of a batch cannot be read; restore the table batch_data from a backup."""


def to_table(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """Return the schema's columns of a frame as one Arrow table; NaN, NaT and None are null.

    Raises:
        SchemaMismatch: columns are missing. InvalidInput: a column's values are not of the schema's type, a number is
            infinite, or a column that must have values has nulls.
    """
    missing = tuple(name for name in schema.names if name not in frame)
    if missing:
        raise SchemaMismatch.of(missing, tuple(map(str, frame.columns)))
    columns = [_to_array(frame[field.name], field) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _to_array(values: "pd.Series[Any]", field: pa.Field) -> pa.Array:
    """Return values as an array of a field's type; refuse other types, missing values and infinite numbers."""
    try:
        array = pa.Array.from_pandas(values, type=field.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        msg = f"Column {field.name!r} has a value that is not of type {field.type} ({error}); nothing was written."
        raise InvalidInput(msg) from error
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    if not field.nullable and array.null_count:
        raise InvalidInput(f"Column {field.name!r} has {array.null_count:,} missing values; nothing was written.")
    if pa.types.is_floating(field.type) and pc.any(pc.is_inf(array)).as_py():
        raise InvalidInput(f"Column {field.name!r} has an infinite number; send a missing value instead.")
    return array


def content_hash(table: pa.Table) -> str:
    """Hash names, types and values (SHA-256 in hex); the same rows in the same order always have the same hash."""
    digest = hashlib.sha256(str(table.num_rows).encode())
    for field in table.schema:
        digest.update(f"\n{field.name} {field.type}\n".encode())
        for part in _canonical_bytes(table.column(field.name).combine_chunks()):
            digest.update(part)
    return digest.hexdigest()


def _canonical_bytes(array: pa.Array) -> Iterator[bytes | memoryview]:
    """Yield which values are null and then the values; what a null's bytes happen to be has no effect."""
    yield np.packbits(_to_numpy(pc.is_null(array)).astype(bool)).tobytes()
    if pa.types.is_string(array.type):
        filled = pc.fill_null(array, "")
        yield _to_numpy(pc.binary_length(filled)).astype("<i4").tobytes()
        yield from _text_bytes(filled)
    else:
        numbers = array.cast(pa.int64()) if pa.types.is_timestamp(array.type) else array
        yield np.ascontiguousarray(_to_numpy(pc.fill_null(numbers, 0))).data.cast("B")


def _text_bytes(array: pa.StringArray) -> Iterator[memoryview]:
    _, offsets, data = array.buffers()
    if len(array) and data is not None:
        places = np.frombuffer(offsets, dtype=np.int32)[array.offset : array.offset + len(array) + 1]
        yield memoryview(data)[int(places[0]) : int(places[-1])]


def _to_numpy(array: pa.Array) -> NDArray[np.generic]:
    return np.asarray(array.to_numpy(zero_copy_only=False))


def cut(table: pa.Table, most_bytes: int = BLOB_BYTES) -> Iterator[tuple[int, pa.Table]]:
    """Cut a table into consecutive parts of about `most_bytes` at most; yield each with its first position."""
    rows = max(1, most_bytes * table.num_rows // max(table.nbytes, 1))
    for first in range(0, table.num_rows, rows):
        yield first, table.slice(first, rows)


def encode(table: pa.Table) -> bytes:
    """Return a table as one Arrow IPC stream, compressed by zstd."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=COMPRESSION) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def decode(data: bytes, names: Collection[str] | None = None) -> pa.Table:
    """Return the table that `encode` stored, or those of its columns that are named, which alone are decompressed.

    Raises:
        DamagedBatch: `encode` did not make the bytes.
    """
    try:
        with pa.ipc.open_stream(data) as reader:
            if names is None:
                return reader.read_all()
            places = [place for place, name in enumerate(reader.schema.names) if name in names]
            if not places:  # no included field would mean all of them
                return reader.schema.empty_table().select([])
        with pa.ipc.open_stream(data, options=pa.ipc.IpcReadOptions(included_fields=places)) as reader:
            return reader.read_all()
    except (pa.ArrowException, OSError) as error:
        raise DamagedBatch from error


def differing_rows(first: pa.Table, second: pa.Table) -> NDArray[np.bool_]:
    """Return which rows of two tables of the same schema and length differ; null equals null."""
    differs = np.zeros(first.num_rows, dtype=bool)
    for name in first.schema.names:
        left, right = first.column(name), second.column(name)
        equal = pc.fill_null(pc.equal(left, right), False)
        same = pc.if_else(pc.is_valid(left), equal, pc.is_null(right))
        differs |= ~np.asarray(same.to_numpy(), dtype=bool)
    return differs


def bounds_of(table: pa.Table, column: str) -> tuple[datetime, datetime] | None:
    """Return the first and the last instant of a column, aware; None for a table without rows."""
    if not table.num_rows:
        return None
    ends = pc.min_max(table.column(column)).as_py()
    return ends["min"], ends["max"]


def concatenated(tables: Iterable[pa.Table], schema: pa.Schema) -> pa.Table:
    """Return tables one after another in the schema's columns; columns that a table does not have are null."""
    return pa.concat_tables([schema.empty_table(), *tables], promote_options="default").select(schema.names)
