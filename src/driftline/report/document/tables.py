"""The results of a report as a table with a row for each: a frame, JSON lines, CSV or Parquet."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from driftline.report.csv_cells import without_formulas
from driftline.report.document.content import ReportContent
from driftline.report.schema import ResultOut, result_values, utc_text
from driftline.report.view import ChunkView

ROWS = 50_000
"""A file is written in parts of at least this many rows, so that not all of them are in memory twice."""

_CHUNK_COLUMNS = {
    "start": pa.timestamp("us", "UTC"),
    "end": pa.timestamp("us", "UTC"),
    "chunk_rows": pa.int64(),
    "labelled": pa.int64(),
    "status": pa.string(),
    "verdict": pa.string(),
}
_INTEGERS = frozenset({"rows"})
_TEXTS = frozenset({"subject", "subject_kind", "kind", "method", "state", "reason", "segment"})


def columns() -> list[str]:
    """Return the names of the columns: those of the chunk, then those of the result."""
    return [*_CHUNK_COLUMNS, *map(_column, ResultOut.model_fields)]


def to_frame(chunks: Sequence[ChunkView]) -> pd.DataFrame:
    """Return one row for each result, with the start, end, rows, labelled, status and verdict of its chunk."""
    by_column: dict[str, list[Any]] = {name: [] for name in columns()}
    for row in result_rows(chunks):
        for values, value in zip(by_column.values(), row, strict=True):
            values.append(value)
    return pd.DataFrame(by_column)


def result_rows(chunks: Sequence[ChunkView]) -> Iterator[tuple[Any, ...]]:
    """Yield the values of a row for each result, in the order of `columns`; instants are aware."""
    fields = tuple(ResultOut.model_fields)
    for chunk in chunks:
        head = (chunk.start, chunk.end, chunk.rows, chunk.labelled, chunk.status, chunk.verdict.state.value)
        for result in chunk.results:
            values = result_values(result)
            yield (*head, *(values[name] for name in fields))


def _parts(chunks: Sequence[ChunkView]) -> Iterator[Sequence[ChunkView]]:
    """Yield consecutive chunks that together have at least `ROWS` results, or are the last ones."""
    first = rows = 0
    for end, chunk in enumerate(chunks, start=1):
        rows += len(chunk.results)
        if rows >= ROWS:
            yield chunks[first:end]
            first, rows = end, 0
    yield chunks[first:]


def write_json_lines(chunks: Sequence[ChunkView], path: Path) -> None:
    """Write a JSON object per line; instants are ISO 8601 in UTC, a missing value is null."""
    names = columns()
    with path.open("w", encoding="utf-8") as file:
        for start, end, *values in result_rows(chunks):
            row = dict(zip(names, (utc_text(start), utc_text(end), *values), strict=True))
            file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def write_csv(chunks: Sequence[ChunkView], path: Path) -> None:
    """Write a CSV file with a header; a missing value is empty, floats keep every digit, and no text is a formula."""
    with path.open("w", encoding="utf-8", newline="") as file:
        for number, part in enumerate(_parts(chunks)):
            without_formulas(to_frame(part)).to_csv(file, index=False, header=number == 0)


def to_csv(content: ReportContent) -> bytes:
    """Return a CSV file in UTF-8 as `write_csv` writes it."""
    return without_formulas(to_frame(content.chunks)).to_csv(index=False).encode()


def write_parquet(chunks: Sequence[ChunkView], path: Path) -> None:
    """Write a Parquet file."""
    schema = pa.schema([*_CHUNK_COLUMNS.items(), *((_column(name), _type(name)) for name in ResultOut.model_fields)])
    with pq.ParquetWriter(path, schema) as writer:
        for part in _parts(chunks):
            writer.write_table(pa.Table.from_pandas(to_frame(part), schema, preserve_index=False))


def _column(name: str) -> str:
    return "result_rows" if name == "rows" else name


def _type(name: str) -> pa.DataType:
    return pa.int64() if name in _INTEGERS else pa.string() if name in _TEXTS else pa.float64()


FORMATS: dict[str, Callable[[Sequence[ChunkView], Path], None]] = {
    ".jsonl": write_json_lines,
    ".csv": write_csv,
    ".parquet": write_parquet,
}
"""The function that writes each format, by the ending of the file."""


def format_fault(path: Path) -> str | None:
    """Return the fault of a path whose ending names no format, else None."""
    if path.suffix.lower() in FORMATS:
        return None
    return f"has no ending that names a format; use {', '.join(FORMATS)}"


def write_table(chunks: Sequence[ChunkView], path: Path, ending: str) -> None:
    """Write all results in the format of `ending`."""
    FORMATS[ending.lower()](chunks, path)
