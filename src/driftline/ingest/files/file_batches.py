"""Files of predictions or labels, cut into batches; the same file is always cut in the same way."""

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pandas as pd
import pyarrow as pa

from driftline.backtesting.input.sources.open_source import open_source
from driftline.backtesting.input.sources.sources import ReadAgainError, compression_of, kind_of, one_line
from driftline.errors import InvalidInput
from driftline.ingest.rows.content import Content, Format
from driftline.ingest.rows.label_rows import label_columns
from driftline.ingest.rows.layouts import IngestLayout
from driftline.ingest.rows.prediction_rows import columns_read

BATCH_ROWS = 50_000
LINE_ENDINGS = (".jsonl", ".ndjson")
ENDINGS = frozenset({".csv", ".tsv", ".txt", ".parquet", ".pq", ".arrow", ".feather", ".ipc", *LINE_ENDINGS})
"""How the names of files that can be read end, apart from a compression (.gz, .bz2, .zst)."""


def contents_of(path: Path, layout: IngestLayout, *, labels: bool) -> Iterator[Content]:
    """Yield the batches of a file, in its order; `layout` is that of tables.

    Where later rows of a large CSV file change the type of a column, its batches are yielded again from the start.

    Raises:
        InvalidInput: the file cannot be read, or it has none of the columns.
    """
    if kind_of(path) in LINE_ENDINGS:
        yield from _lines(path)
        return
    source = open_source(path, layout.na_values)
    columns_to_read = label_columns(layout) if labels else columns_read(layout)
    columns = [name for name in columns_to_read if name in source.columns]
    if not columns:
        raise InvalidInput(
            f"{path} has none of the columns {', '.join(columns_to_read)}; it has {', '.join(source.columns)}."
        )
    while True:
        offset = 0
        try:
            for block in source.blocks(columns, layout.codes):
                for part in _parts(block):
                    yield Content(b"", format_of_file(path), int(part.memory_usage().sum()), part, offset)
                    offset += len(part)
            return
        except ReadAgainError:
            continue


def _parts(block: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for first in range(0, len(block), BATCH_ROWS):
        yield block.iloc[first : first + BATCH_ROWS].reset_index(drop=True)


def _lines(path: Path) -> Iterator[Content]:
    """Yield the lines of a file of JSON, compressed or not, which is read as far as it is yielded."""
    try:
        with pa.input_stream(str(path), compression=compression_of(path)) as stream:
            offset, file = 0, io.BufferedReader(stream)
            while lines := list(islice(file, BATCH_ROWS)):
                data = b"".join(lines)
                yield Content(data, Format.NDJSON, len(data), rows_before=offset)
                offset += len(lines)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise InvalidInput(f"{path} cannot be read ({one_line(error)}); correct or replace it.") from error


def format_of_file(path: Path) -> Format:
    """Return the format of a file for the log."""
    endings = {".parquet": Format.PARQUET, ".pq": Format.PARQUET, ".arrow": Format.ARROW, ".feather": Format.ARROW}
    return endings.get(path.suffix.lower(), Format.CSV)
