"""A raw data file: CSV of the record columns, plain or gzipped, read in pieces with line numbers."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv

from churn.columns import CDR_FILE_COLUMNS
from driftline.errors import InvalidInput, NotFound, SchemaMismatch
from flaskapp.progress import Progress

FOLDER = Path(__file__).parents[1] / "DataFile"
"""The default folder of raw data."""
NAMES = ("RawData.csv", "RawData.csv.gz")
BLOCK = 4 << 20
"""Bytes per read."""
EMPTY_FILE_ERROR = "Empty CSV file"
"""Part of the reader's message for an empty file."""
FIRST_LINE = 2
"""The header is line 1."""


@dataclass(frozen=True)
class Piece:
    """Some lines of the file: `columns` as bytes, one per name of `CDR_FILE_COLUMNS`, and their line numbers.

    Blank lines are left out. `ragged` are lines with another number of fields, as (line, fields); they are not
    in `columns`.
    """

    columns: pa.Table
    lines: npt.NDArray[np.int64]
    ragged: tuple[tuple[int, int], ...] = ()


def find(folder: Path) -> Path | None:
    """Return the raw data file in a folder, the plain one if there are two, or None."""
    return next((folder / name for name in NAMES if (folder / name).exists()), None)


def content_hash(path: Path, progress: Progress) -> str:
    """Return the SHA-256 of the decompressed content in hex; `progress` receives bytes on disk."""
    digest = hashlib.sha256()
    with _readable(path), _open(path, progress) as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def pieces(path: Path, progress: Progress) -> Iterator[Piece]:
    """Yield the file in pieces, in the order of its lines.

    Raises:
        SchemaMismatch: the header does not have the record columns.
        NotFound: the file is empty.
    """
    ragged: deque[tuple[int, int]] = deque()

    def skip(row: pa.csv.InvalidRow) -> str:
        ragged.append((row.number, row.actual_columns))
        return "skip"

    with _readable(path), _open(path, progress) as stream:
        reader = _reader(path, stream, skip)
        _require_header(reader.schema.names)
        next_line = FIRST_LINE
        for batch in reader:
            piece, next_line = _piece(pa.Table.from_batches([batch]), next_line, ragged)
            yield piece
        if ragged:
            yield Piece(reader.schema.empty_table(), np.array([], np.int64), tuple(ragged))


def _piece(table: pa.Table, first: int, ragged: deque[tuple[int, int]]) -> tuple[Piece, int]:
    """Number the rows from line `first` on, skipping ragged lines; also return the number of the next line.

    The reader works ahead: `ragged` may contain lines of later pieces, which stay in it.
    """
    end, skipped = first + len(table), []
    while ragged and ragged[0][0] < end:
        skipped.append(ragged.popleft())
        end += 1
    every = np.arange(first, end, dtype=np.int64)
    lines = every[~np.isin(every, [line for line, _ in skipped])]
    columns = table.select(list(CDR_FILE_COLUMNS))
    filled = np.logical_or.reduce([pa.compute.binary_length(column).to_numpy() > 0 for column in columns.columns])
    return Piece(columns.filter(pa.array(filled)), lines[filled], tuple(skipped)), end


def _reader(path: Path, stream: BinaryIO, skip: Callable[[pa.csv.InvalidRow], str]) -> pa.csv.CSVStreamingReader:
    """Open a file as a stream of CSV blocks of bytes; `skip` is called with each line of a wrong length."""
    try:
        return pa.csv.open_csv(
            stream,
            read_options=pa.csv.ReadOptions(block_size=BLOCK, use_threads=False),
            parse_options=pa.csv.ParseOptions(invalid_row_handler=skip, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(
                column_types=dict.fromkeys(CDR_FILE_COLUMNS, pa.binary()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if EMPTY_FILE_ERROR not in str(error):
            raise
        raise NotFound(f"{path} has no lines; put the raw data there or remove the file.") from error


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Translate errors of a file that cannot be read, such as a truncated gzip file, into InvalidInput."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8 text; save it as UTF-8. Nothing was loaded.") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidInput(f"{path} cannot be read to its end: {error}. Nothing was loaded.") from error


def _require_header(names: list[str]) -> None:
    missing = tuple(name for name in CDR_FILE_COLUMNS if name not in names)
    if missing:
        raise SchemaMismatch.of(missing, tuple(names))
    if len(names) > len(CDR_FILE_COLUMNS):
        extra = [name for name in names if name not in CDR_FILE_COLUMNS] or ["one of them twice"]
        raise SchemaMismatch(f"Line 1: unknown columns: {', '.join(extra)}. Known: {', '.join(CDR_FILE_COLUMNS)}.")


class _CountingFile:
    """A file that reports how much of it was read."""

    def __init__(self, path: Path, progress: Progress) -> None:
        self._file, self._progress = path.open("rb"), progress

    def read(self, size: int = -1) -> bytes:
        block = self._file.read(size)
        self._progress(len(block))
        return block

    @property
    def closed(self) -> bool:
        return self._file.closed

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self._file.close()


def _open(path: Path, progress: Progress) -> BinaryIO:
    counted = pa.PythonFile(_CountingFile(path, progress), mode="r")
    stream = pa.CompressedInputStream(counted, "gzip") if path.suffix == ".gz" else counted
    return cast("BinaryIO", stream)
