"""Load rows into MySQL by LOAD DATA LOCAL, all of them or none: its silent warnings become an error."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
from sqlalchemy import Connection, Integer, String, Table
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import ClauseElement

from driftline.errors import InvalidInput

_CSV_OPTIONS = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed", null_string="NULL")
"""Strings are quoted and NULL is not, so that LOAD DATA distinguishes an empty string, the word and a missing value."""

Constants = Mapping[str, int | str]


class LoadData(Executable, ClauseElement):
    """LOAD DATA LOCAL of a file that `encode` wrote; a column in `constants` gets the same value in every row."""

    inherit_cache = False

    def __init__(self, path: Path, table: Table, columns: Sequence[str], constants: Constants) -> None:
        """Take the file, the table it is loaded into, and the columns in the file's order."""
        self.path, self.table, self.columns, self.constants = path, table, columns, constants


@compiles(LoadData)
def _compile(element: LoadData, compiler: Any, **_: Any) -> str:
    """Write the statement; the server's own quoting rules apply to names and values."""
    quote = compiler.preparer.quote_identifier

    def literal(value: int | str) -> str:
        return str(compiler.render_literal_value(value, Integer() if isinstance(value, int) else String()))

    constants = ", ".join(f"{quote(name)} = {literal(value)}" for name, value in element.constants.items())
    return (
        f"LOAD DATA LOCAL INFILE {literal(str(element.path))} "
        f"INTO TABLE {compiler.preparer.format_table(element.table)} "
        "CHARACTER SET utf8mb4 FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '\"' ESCAPED BY '' "
        f"LINES TERMINATED BY '\\n' ({', '.join(map(quote, element.columns))})"
        + (f" SET {constants}" if constants else "")
    )


def encode(frame: pd.DataFrame, columns: Sequence[str]) -> bytes:
    """Encode columns as LOAD DATA reads them: CSV without header, NULL for missing values, instants in UTC.

    The same content always has the same bytes, so their hash identifies the batch.

    Raises:
        InvalidInput: a number is infinite, which MySQL cannot store, or a text has a line break.
    """
    return encode_table(
        pa.Table.from_pandas(frame, columns=list(columns), preserve_index=False, nthreads=1)  # threads cost more
    )


def encode_table(table: pa.Table) -> bytes:
    """Encode an Arrow table as `encode` does a frame; raises as it does."""
    for position, field in enumerate(table.schema):
        _require_storable(field, table.column(position))
        if pa.types.is_timestamp(field.type):
            table = table.set_column(position, field.name, table.column(position).cast(pa.timestamp("us")))
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, sink, _CSV_OPTIONS)
    return bytes(sink.getvalue().to_pybytes())


def _require_storable(field: pa.Field, column: pa.ChunkedArray) -> None:
    """Reject values that MySQL cannot store or that LOAD DATA would misread."""
    if pa.types.is_floating(field.type) and pa.compute.any(pa.compute.is_inf(column)).as_py():
        raise InvalidInput(
            f"Column {field.name!r} has an infinite number, which MySQL cannot store; send NULL instead."
        )
    if pa.types.is_string(field.type) and pa.compute.any(pa.compute.match_substring(column, "\n")).as_py():
        raise InvalidInput(f"Column {field.name!r} has a text with a line break; replace it by a space.")


def load(
    connection: Connection, table: Table, columns: Sequence[str], payload: bytes, constants: Constants | None = None
) -> int:
    """Load encoded rows into a table and return their number.

    Raises:
        InvalidInput: MySQL changed or rejected a row, or its key exists; the caller rolls the transaction back.
    """
    sent = payload.count(b"\n")
    with tempfile.NamedTemporaryFile(prefix="driftline-", suffix=".csv") as file:
        file.write(payload)
        file.flush()
        result = connection.execute(LoadData(Path(file.name), table, columns, constants or {}))
    if result.rowcount != sent or result.context.cursor.warning_count:
        warnings = tuple(str(row[2]) for row in connection.exec_driver_sql("SHOW WARNINGS LIMIT 5"))
        raise InvalidInput(
            f"MySQL accepted only {result.rowcount} of {sent} rows of {table.name} unchanged; rolled back.",
            details=warnings,
        )
    return sent
