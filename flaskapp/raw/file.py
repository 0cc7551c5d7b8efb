"""A raw data file: CSV of the record columns, plain or gzipped, read as text in pieces. Every line keeps its number."""

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
from flaskapp.history.loading import Progress

FOLDER = Path(__file__).parents[1] / "DataFile"
"""Where raw data is, unless a command is told otherwise."""
NAMES = ("RawData.csv", "RawData.csv.gz")
BLOCK = 4 << 20
"""Bytes read at once."""
EMPTY = "Empty CSV file"
"""How the reader says so."""
FIRST_LINE = 2
"""The header is line 1."""


@dataclass(frozen=True)
class Piece:
    """Some lines: `columns` as bytes, one per name of `CDR_FILE_COLUMNS`, `lines` their numbers in the file.

    Blank lines are left out. `ragged` are lines with another number of fields, as (line, fields); they have no columns.
    """

    columns: pa.Table
    lines: npt.NDArray[np.int64]
    ragged: tuple[tuple[int, int], ...] = ()


def find(folder: Path) -> Path | None:
    """Find the raw data file in a folder; the plain one before the gzipped."""
    return next((folder / name for name in NAMES if (folder / name).exists()), None)


def content_hash(path: Path, progress: Progress) -> str:
    """Hash what is in the file, SHA-256 in hex; gzipped or not gives the same. `progress` is told of bytes on disk."""
    digest = hashlib.sha256()
    with _readable(path), _open(path, progress) as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def pieces(path: Path, progress: Progress) -> Iterator[Piece]:
    """Read the file piece by piece, in the order of its lines.

    Raises:
        SchemaMismatch: the header is not that of the record columns.
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
    """Number the rows from line `first` on, past the ragged lines among them; give the next line's number too.

    The reader is ahead of what it gave: `ragged` may hold lines of later pieces. They stay in it.
    """
    end, here = first + len(table), []
    while ragged and ragged[0][0] < end:
        here.append(ragged.popleft())
        end += 1
    every = np.arange(first, end, dtype=np.int64)
    lines = every[~np.isin(every, [line for line, _ in here])]
    columns = table.select(list(CDR_FILE_COLUMNS))
    filled = np.logical_or.reduce([pa.compute.binary_length(column).to_numpy() > 0 for column in columns.columns])
    return Piece(columns.filter(pa.array(filled)), lines[filled], tuple(here)), end


def _reader(path: Path, stream: BinaryIO, skip: Callable[[pa.csv.InvalidRow], str]) -> pa.csv.CSVStreamingReader:
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
        if EMPTY not in str(error):
            raise
        raise NotFound(f"{path} holds no lines; put the raw data there or take the file away.") from error


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what cannot be read at all into an error of ours: a gzip file cut short, a line without end."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is no text in UTF-8; save it so. Nothing was loaded.") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise InvalidInput(f"{path} cannot be read to its end: {error}. Nothing was loaded.") from error


def _require_header(names: list[str]) -> None:
    missing = tuple(name for name in CDR_FILE_COLUMNS if name not in names)
    if missing:
        raise SchemaMismatch.of(missing, tuple(names))
    if len(names) > len(CDR_FILE_COLUMNS):
        extra = [name for name in names if name not in CDR_FILE_COLUMNS] or ["one of them twice"]
        raise SchemaMismatch(f"Line 1: unknown columns: {', '.join(extra)}. Known: {', '.join(CDR_FILE_COLUMNS)}.")


class _Counted:
    """A file that says how much of it was read."""

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
    counted = pa.PythonFile(_Counted(path, progress), mode="r")
    stream = pa.CompressedInputStream(counted, "gzip") if path.suffix == ".gz" else counted
    return cast("BinaryIO", stream)
