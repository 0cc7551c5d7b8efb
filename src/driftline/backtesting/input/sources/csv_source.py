"""CSV files, also compressed: read whole on all cores where they fit in memory, else block by block."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from io import RawIOBase
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pac
import pyarrow.csv as pc

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.sources.dialect import HEAD_BYTES, Dialect
from driftline.backtesting.input.sources.encodings import foreign_encoding
from driftline.backtesting.input.sources.sources import (
    LARGEST_WHOLE,
    ReadAgainError,
    compression_of,
    is_text,
    kind_of,
    name_columns,
    name_of,
    reject_repeated,
    to_frame,
)
from driftline.backtesting.input.values.missing import MISSING, MISSING_TEXT
from driftline.errors import InvalidInput

BLOCK_BYTES = 16 * 1024 * 1024
"""How much of a file that is read block by block is one block; Arrow reads several ahead."""
PIECE_BYTES = 16 * 1024 * 1024
"""How much of a file that is read whole one thread takes at a time: fewer and larger pieces are put together faster."""
COMPRESSION = 6
"""How many times larger a compressed file is assumed to be when it is unpacked."""
_CATEGORIES = 5_000
"""Text with up to this many distinct values is read as a dictionary."""
Types = Mapping[str, pa.DataType]
_CODES = pa.dictionary(pa.int32(), pa.string())
_TYPES_TRIED = (
    pa.null(),
    pa.int64(),
    pa.bool_(),
    pa.date32(),
    pa.time32("s"),
    pa.timestamp("s"),
    pa.timestamp("ns"),
    pa.timestamp("s", "UTC"),
    pa.timestamp("ns", "UTC"),
    pa.float64(),
    _CODES,
)
"""The types a column can have, in the order in which Arrow tries them on a file that it reads whole."""
_AMBIGUOUS_TYPES = (pa.null(), pa.int64(), pa.float64(), _CODES)
"""Types with which codes are read as text instead: as numbers, 007 and 7 would be equal."""
_MISFIT = re.compile(r"In CSV column #(\d+).*conversion error to [^:]+: [^']*'(.*)'", re.DOTALL)
_TRAILING_ZEROS = r"^(-?(?:0|[1-9]\d*))(?:\.0+|(\.\d*[1-9])0+)$"


@dataclass(slots=True, eq=False)
class CsvSource:
    """A CSV file with a header line, in UTF-8; `types` are those of its columns, if it is read block by block.

    A compressed file that turns out to have more than `largest` bytes is read block by block from then on.
    """

    path: Path
    header: tuple[str, ...]
    name: str
    single_block: bool
    largest: int = LARGEST_WHOLE
    dialect: Dialect = field(default_factory=Dialect)
    types: dict[str, pa.DataType] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path, largest: int = LARGEST_WHOLE, *, na_values: Sequence[str] = ()) -> "CsvSource":
        """Infer the dialect and the types from the file's head.

        Raises InvalidInput for a file without a header, with a repeated name, or in another encoding than UTF-8.
        """
        size = path.stat().st_size * (COMPRESSION if compression_of(path) else 1)
        head = _read_head(path)
        dialect = Dialect.of(head, "\t" if kind_of(path) == ".tsv" else ",", na_values)
        schema = _read_schema(path, dialect)
        reject_repeated(path, schema.names, place=", line 1")
        kinds = (_column_type(kind, padded=index in dialect.padded) for index, kind in enumerate(schema.types))
        types = dict(zip(name_columns(schema.names), kinds, strict=True))
        return cls(path, tuple(schema.names), name_of(path), size <= largest, largest, dialect, types)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return name_columns(self.header)

    @property
    def notes(self) -> tuple[Inference, ...]:
        """What was inferred about the dialect of the file."""
        return self.dialect.notes

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the rows; a row with too many or too few fields is an InvalidInput with its line.

        All blocks have the types of the whole file. Raises ReadAgainError where a later block needs a wider type, and
        where a compressed file is too large to be read whole: the caller must then drop what it got and read again.
        """
        texts = {name: pa.string() for name in columns if name in codes and self.types[name] in _AMBIGUOUS_TYPES}
        tables = self._read_whole(columns, texts) if self.single_block else self._read_blocks(columns, texts)
        named_tables = (table.rename_columns(list(columns)) for table in tables)
        yield from map(partial(_to_frame, self.path, texts, self.dialect), named_tables)

    def _read_whole(self, columns: Sequence[str], texts: Types) -> Iterator[pa.Table]:
        """Yield the file as one table, parsed on all cores; text with few distinct values becomes a dictionary."""
        padded = {self.columns[index] for index in self.dialect.padded}
        codes = {name: _CODES for name in columns if name in padded and self.types[name] == _CODES}
        converting = self._convert_options(
            columns, {**codes, **texts}, auto_dict_encode=True, auto_dict_max_cardinality=_CATEGORIES
        )
        try:
            reading = self.dialect.read_options(block_size=PIECE_BYTES)
            file = _open(self.path)
            limited = pa.PythonFile(_LimitedFile(file, self.largest)) if compression_of(self.path) else file
            yield pc.read_csv(limited, reading, self.dialect.parse_options, converting)
        except _TooLargeError as error:
            self.single_block = False
            raise ReadAgainError from error
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self.path, self.dialect, error) from error

    def _read_blocks(self, columns: Sequence[str], texts: Types) -> Iterator[pa.Table]:
        """Yield the file block by block; where a value does not fit its column's type, widen the type and start again.

        Raises ReadAgainError for that if the caller has already got blocks with the narrower type.
        """
        yielded = False
        while True:
            try:
                for batch in self._batches(columns, texts):
                    yield pa.Table.from_batches([batch])
                    yielded = True
                return
            except pa.ArrowException as error:
                self._widen(error)
                if yielded:
                    raise ReadAgainError from error

    def _batches(self, columns: Sequence[str], texts: Types) -> Iterator[pa.RecordBatch]:
        reading = self.dialect.read_options(block_size=BLOCK_BYTES)
        types = {name: texts.get(name, self.types[name]) for name in columns}
        with pc.open_csv(
            _open(self.path),
            read_options=reading,
            parse_options=self.dialect.parse_options,
            convert_options=self._convert_options(columns, types),
        ) as reader:
            yield from reader

    def _convert_options(self, columns: Sequence[str], types: Types, **more: object) -> pc.ConvertOptions:
        """Return the options with which Arrow converts columns, under their names in the file."""
        names = dict(zip(self.columns, self.header, strict=True))
        kinds = {names[name]: kind for name, kind in types.items()}
        return self.dialect.convert_options([names[name] for name in columns], column_types=kinds, **more)

    def _widen(self, error: Exception) -> None:
        """Set the type of the column that an error names to the next type that can hold the value."""
        misfit = _MISFIT.search(str(error))
        name = self.columns[int(misfit[1])] if misfit else None
        if misfit is None or name is None or self.types[name] not in _TYPES_TRIED[:-1]:
            raise _unreadable(self.path, self.dialect, error) from error
        wider = _TYPES_TRIED[_TYPES_TRIED.index(self.types[name]) + 1 :]
        self.types[name] = next((kind for kind in wider if _can_hold(kind, misfit[2], self.dialect)), _CODES)


class _TooLargeError(Exception):
    """A compressed file has more bytes than may be read at once."""


class _LimitedFile(RawIOBase):
    """A file that raises _TooLargeError when more than `largest` bytes are read."""

    def __init__(self, file: pa.NativeFile, largest: int) -> None:
        self.file, self.remaining = file, largest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content: bytes = self.file.read(None if size < 0 else size)
        self.remaining -= len(content)
        if self.remaining < 0:
            raise _TooLargeError
        return content


def _column_type(kind: pa.DataType, *, padded: bool) -> pa.DataType:
    """Return the initial type of a column: text, and digits with leading zeros, are codes."""
    return _CODES if is_text(kind) or (padded and pa.types.is_integer(kind)) else kind


def _can_hold(kind: pa.DataType, value: str, dialect: Dialect) -> bool:
    """Return whether a field of a file can be read as this type."""
    quoted = value.replace('"', '""')
    file = pa.BufferReader(f'value\n"{quoted}"\n'.encode())
    parsing = pc.ParseOptions(newlines_in_values=True)
    try:
        options = dialect.convert_options(["value"], column_types={"value": kind})
        pc.read_csv(file, parse_options=parsing, convert_options=options)
    except pa.ArrowException:
        return False
    return True


def _open(path: Path) -> pa.NativeFile:
    """Open a file, and decompress it by its ending in any case."""
    return pa.input_stream(str(path), compression=compression_of(path))


def _read_head(path: Path) -> bytes:
    """Return the first bytes of a file; raise InvalidInput for another encoding than UTF-8."""
    try:
        with _open(path) as file:
            head: bytes = file.read(HEAD_BYTES)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise _unreadable(path, Dialect(), error) from error
    encoding = foreign_encoding(head)
    if encoding:
        msg = f"{path} seems to be in {encoding}; save it in UTF-8 (in Excel: CSV UTF-8)"
        raise InvalidInput(msg)
    return head


def _read_schema(path: Path, dialect: Dialect) -> pa.Schema:
    """Return the columns of a file with the types that Arrow infers from its first block."""
    options = dialect.convert_options()
    try:
        with pc.open_csv(_open(path), dialect.read_options(), dialect.parse_options, options) as reader:
            schema: pa.Schema = reader.schema
        _ = schema.names  # decodes the header
        return schema
    except UnicodeDecodeError as error:
        msg = f"{path}, line 1 is not UTF-8; save the file in UTF-8"
        raise InvalidInput(msg) from error
    except (pa.ArrowException, OSError, EOFError) as error:
        raise _unreadable(path, dialect, error) from error


def _to_frame(path: Path, texts: Types, dialect: Dialect, table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame, with the columns of codes in compact form; raise InvalidInput for text in bytes."""
    binary = [f.name for f in table.schema if pa.types.is_binary(_values_of(f.type))]
    if binary:
        msg = f"{path}: {', '.join(binary)} is not UTF-8; save the file in UTF-8"
        raise InvalidInput(msg)
    for name in texts:
        index = table.schema.get_field_index(name)
        table = table.set_column(index, name, _compact(_without_missing(table.column(index), dialect)))
    return to_frame(table)


def _without_missing(texts: pa.ChunkedArray, dialect: Dialect) -> pa.ChunkedArray:
    """Return codes with null for those that stand for a missing value."""
    words = {*MISSING_TEXT, *set(dialect.missing).difference(MISSING)}
    return pac.if_else(pac.is_in(texts, value_set=pa.array(sorted(words))), None, texts)


def _compact(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return codes in a smaller type without loss: integers or, with few distinct values, a dictionary.

    Trailing zeros are dropped (7.0 is 7, 1.50 is 1.5), so that a code is the same after another program stored it as a
    float.
    """
    with suppress(pa.ArrowInvalid):
        numbers = texts.cast(pa.int64())
        if numbers.cast(pa.string()).equals(texts):
            return numbers
    if pac.any(pac.match_substring_regex(texts, r"\.\d*0$")).as_py():
        texts = pac.replace_substring_regex(texts, _TRAILING_ZEROS, r"\1\2")
    few = texts.num_chunks and len(texts.chunk(0).unique()) <= _CATEGORIES
    return texts.dictionary_encode() if few else texts


def _values_of(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _unreadable(path: Path, dialect: Dialect, error: Exception) -> InvalidInput:
    """Return the error for a file that cannot be read, with the line where Arrow or a second read can name it."""
    text = str(error)
    if "Row #" not in text and "CSV parse error" in text:
        text = _parse_error_with_line(path, dialect) or text
    line = re.search(r"Row #(\d+): (.*)", text, re.DOTALL)
    words = line[2] if line else text.removeprefix("CSV parse error: ")
    place = f"{path}, line {line[1]}" if line else str(path)
    return InvalidInput(f"{place} cannot be read: {words}{_cure_of_line(path, words)}")


def _cure_of_line(path: Path, words: str) -> str:
    """Return what to do about a line with too many or too few fields, for a message; nothing for another fault."""
    counts = re.match(r"Expected (\d+) columns, got (\d+)", words)
    if counts is None:
        return ""
    expected, fields = map(int, counts.groups())
    if expected == 1:
        return _title_line(path)
    if fields < expected:
        return "; complete the line, or remove it if it is a note and no row"
    return "; put fields that contain the separator in double quotes"


def _title_line(path: Path) -> str:
    """Return what to do where the first line has one field and the next ones more, for a message."""
    first = _read_head(path).decode("utf-8", "replace").split("\n", 1)[0].rstrip("\r")
    return f"; remove line 1 ({first[:80]!r}) if it is a title or a comment, since the first line names the columns"


def _parse_error_with_line(path: Path, dialect: Dialect) -> str | None:
    """Return the parse error of a read without threads, the only one that counts lines; None if it succeeds."""
    try:
        pc.read_csv(_open(path), dialect.read_options(use_threads=False), dialect.parse_options)
    except (pa.ArrowException, OSError) as error:
        return str(error)
    return None
