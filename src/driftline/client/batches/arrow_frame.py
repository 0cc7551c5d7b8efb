"""Frames as streams of Arrow; imported where a frame is sent, since it needs pyarrow. No I/O here."""

from typing import Any

import pyarrow as pa
from pyarrow import ipc

from driftline.errors import InvalidInput

_OPTIONS = ipc.IpcWriteOptions(compression="zstd")


def table_of(frame: Any) -> pa.Table:
    """Return any frame with the Arrow interface (pandas, polars, pyarrow), or a mapping of columns, as a table.

    Raises:
        InvalidInput: it is not a frame, has no rows, or a column mixes types that Arrow keeps apart.
    """
    try:
        table = pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError) as error:
        msg = f"The frame cannot be sent ({error}); pass columns with one type each."
        raise InvalidInput(msg) from error
    return table.replace_schema_metadata(None)


def slices(table: pa.Table, rows: int, size: int) -> list[bytes]:
    """Return a table as streams of at most `rows` rows and about `size` bytes before compression each."""
    rows = max(1, min(rows, size * table.num_rows // max(table.nbytes, 1)))
    return [write_stream(table.slice(start, rows)) for start in range(0, table.num_rows, rows)]


def write_stream(table: pa.Table) -> bytes:
    """Return a table as a stream."""
    sink = pa.BufferOutputStream()
    with ipc.new_stream(sink, table.schema, options=_OPTIONS) as writer:
        writer.write_table(table)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read_stream(content: bytes) -> pa.Table:
    """Return a stream as a table."""
    return ipc.open_stream(content).read_all()
