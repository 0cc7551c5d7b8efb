"""Sent rows as a frame, in the few dtypes that a backtest reads, under the column names of the sender."""

import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from driftline.backtesting.input.sources.csv_source import CsvSource
from driftline.backtesting.input.sources.sources import (
    ParquetSource,
    ReadAgainError,
    TableSource,
    is_text,
    reject_repeated,
    to_frame,
)
from driftline.errors import InvalidInput
from driftline.ingest.errors import TooMuchContent
from driftline.ingest.rows.arrow_stream import read_stream
from driftline.ingest.rows.content import MOST_BYTES, Content, Format, require_few_rows

SAMPLE_ROWS = 1_000
VALUE_BYTES = 8
"""How many bytes a value takes in memory, even where a file repeats it in fewer."""
BODY = Path("body")
"""What messages call the file that was sent."""


def flat_frame(
    content: Content, columns: Sequence[str], codes: Collection[str], na_values: Collection[str]
) -> pd.DataFrame:
    """Return the rows of a table as a frame with those of `columns` that it has; `codes` hold names, not numbers.

    Raises:
        InvalidInput: it cannot be read, with the line of a CSV file.
        TooMuchContent: it has too many rows, or takes too much memory.
    """
    if content.format is Format.ARROW:
        return _arrow_frame(read_stream(content.data), columns)
    suffix, opener = _FILES[content.format]
    with tempfile.TemporaryDirectory(prefix="driftline-ingest-") as folder:
        path = Path(folder) / f"{BODY}{suffix}"
        path.write_bytes(content.data)
        try:
            return read_frame(opener(path, tuple(na_values)), columns, codes)
        except InvalidInput as error:
            raise error.reworded(_unplaced(error.message, path)) from error


def _unplaced(message: str, path: Path) -> str:
    """Return a message without the folder of a temporary file."""
    return message.replace(str(path), f"The {BODY}")


def _parquet(path: Path, _: Sequence[str]) -> TableSource:
    source = ParquetSource.of(path)
    footer = pq.read_metadata(path)
    require_few_rows(footer.num_rows)
    require_small_parquet(footer)
    return source


def require_small_parquet(footer: pq.FileMetaData) -> None:
    """Raise TooMuchContent where a Parquet file takes too many bytes once it is unpacked, by its footer."""
    encoded = sum(footer.row_group(number).total_byte_size for number in range(footer.num_row_groups))
    size = max(encoded, VALUE_BYTES * footer.num_rows * footer.num_columns)
    if size > MOST_BYTES:
        raise TooMuchContent(f"The Parquet file has {size // 2**20:,} MB once it is unpacked; send fewer rows.")


def _csv(path: Path, na_values: Sequence[str]) -> TableSource:
    return CsvSource.of(path, na_values=na_values)


_FILES: dict[Format, tuple[str, Callable[[Path, Sequence[str]], TableSource]]] = {
    Format.CSV: (".csv", _csv),
    Format.PARQUET: (".parquet", _parquet),
}


def read_frame(source: TableSource, columns: Sequence[str], codes: Collection[str]) -> pd.DataFrame:
    """Return all rows of a source as one frame, with those of `columns` that it has."""
    present = [name for name in columns if name in source.columns]
    if not present:
        return pd.DataFrame(index=range(0))
    while True:
        try:
            parts = list(source.blocks(present, frozenset(codes)))
            break
        except ReadAgainError:
            continue
    frame = parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)
    require_few_rows(len(frame))
    return frame


def _repeats(column: pa.ChunkedArray) -> bool:
    """Return whether the first texts of a column repeat, so that codes take less time; ids do not."""
    first = column.slice(0, SAMPLE_ROWS)
    return len(first.unique()) * 2 <= len(first)


def _arrow_frame(table: pa.Table, columns: Sequence[str]) -> pd.DataFrame:
    """Return the columns of an Arrow table; text that repeats is read as codes."""
    require_few_rows(table.num_rows)
    reject_repeated(BODY, table.column_names)
    present = [name for name in columns if name in table.column_names]
    table = table.select(present)
    for place, field in enumerate(table.schema):
        if is_text(field.type) and _repeats(table.column(place)):
            table = table.set_column(place, field.name, table.column(place).dictionary_encode())
    try:
        return to_frame(table)
    except (pa.ArrowException, OSError, ValueError, LookupError, ArithmeticError) as error:
        raise InvalidInput(
            f"A column of the Arrow stream cannot be read ({error}); send numbers, text, true/false and times."
        ) from error
