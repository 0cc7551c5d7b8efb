"""CSV files, compressed ones too: read by all cores where they fit, else block by block with types that were tried."""

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
from driftline.backtesting.input.dialect import HEAD_BYTES, Dialect
from driftline.backtesting.input.encodings import foreign_encoding
from driftline.backtesting.input.missing import MISSING, MISSING_TEXT
from driftline.backtesting.input.sources import (
    LARGEST_WHOLE,
    ReadAgainError,
    compression_of,
    is_text,
    kind_of,
    name_of,
    named,
    reject_repeated,
    to_frame,
)
from driftline.errors import InvalidInput

BLOCK_BYTES = 16 * 1024 * 1024
"""How much of a file that is read block by block is one block; Arrow reads several ahead."""
PIECE_BYTES = 16 * 1024 * 1024
"""How much of a file that is read whole one thread takes at a time: fewer and larger pieces are put together faster."""
COMPRESSION = 6
"""How many times larger a compressed file is taken to be."""
_CATEGORIES = 5_000
"""Text with up to this many distinct values is read as codes."""
Types = Mapping[str, pa.DataType]
_CODES = pa.dictionary(pa.int32(), pa.string())
_LADDER = (
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
_MAY_LOSE = (pa.null(), pa.int64(), pa.float64(), _CODES)
"""Types under which a code is read as text: as numbers 007 and 7 would be one."""
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
    whole: bool
    largest: int = LARGEST_WHOLE
    dialect: Dialect = field(default_factory=Dialect)
    types: dict[str, pa.DataType] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path, largest: int = LARGEST_WHOLE, *, na_values: Sequence[str] = ()) -> "CsvSource":
        """Look at the file's head; one without header, or with a name twice, is an InvalidInput."""
        size = path.stat().st_size * (COMPRESSION if compression_of(path) else 1)
        dialect = _dialect(path, na_values)
        schema = _read_head(path, dialect)
        reject_repeated(path, schema.names, place=", line 1")
        kinds = (_type(kind, padded=place in dialect.padded) for place, kind in enumerate(schema.types))
        types = dict(zip(named(schema.names), kinds, strict=True))
        return cls(path, tuple(schema.names), name_of(path), size <= largest, largest, dialect, types)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return named(self.header)

    @property
    def notes(self) -> tuple[Inference, ...]:
        """What was inferred of how the file is written."""
        return self.dialect.notes

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the rows; a row with too many or too few fields is an InvalidInput with its line.

        Of a file that is read block by block, a type that does not hold for a later block is widened, and what was
        yielded by then is to be read again (ReadAgainError): all blocks have the types that the whole file has. So is
        a compressed file that is too large to be read whole.
        """
        texts = {name: pa.string() for name in columns if name in codes and self.types[name] in _MAY_LOSE}
        tables = self._whole(columns, texts) if self.whole else self._streamed(columns, texts)
        named_tables = (table.rename_columns(list(columns)) for table in tables)
        yield from map(partial(_checked, self.path, texts, self.dialect), named_tables)

    def _whole(self, columns: Sequence[str], texts: Types) -> Iterator[pa.Table]:
        padded = {self.columns[place] for place in self.dialect.padded}
        codes = {name: _CODES for name in columns if name in padded and self.types[name] == _CODES}
        wanted = self._convert_options(
            columns, {**codes, **texts}, auto_dict_encode=True, auto_dict_max_cardinality=_CATEGORIES
        )
        try:
            pieces = pc.ReadOptions(block_size=PIECE_BYTES)
            file = _opened(self.path)
            limited = pa.PythonFile(_Limited(file, self.largest)) if compression_of(self.path) else file
            yield pc.read_csv(limited, pieces, self.dialect.parse_options, wanted)
        except _TooLargeError as error:
            self.whole = False
            raise ReadAgainError from error
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self.path, self.dialect, error) from error

    def _streamed(self, columns: Sequence[str], texts: Types) -> Iterator[pa.Table]:
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
        reading = pc.ReadOptions(block_size=BLOCK_BYTES)
        types = {name: texts.get(name, self.types[name]) for name in columns}
        with pc.open_csv(
            _opened(self.path),
            read_options=reading,
            parse_options=self.dialect.parse_options,
            convert_options=self._convert_options(columns, types),
        ) as reader:
            yield from reader

    def _convert_options(self, columns: Sequence[str], types: Types, **more: object) -> pc.ConvertOptions:
        """Return how Arrow is to read columns, which it knows by their names in the file."""
        names = dict(zip(self.columns, self.header, strict=True))
        kinds = {names[name]: kind for name, kind in types.items()}
        return self.dialect.convert_options([names[name] for name in columns], column_types=kinds, **more)

    def _widen(self, error: Exception) -> None:
        """Return the column that an error is about the next type that holds for the value which did not fit."""
        found = _MISFIT.search(str(error))
        name = self.columns[int(found[1])] if found else None
        if found is None or name is None or self.types[name] not in _LADDER[:-1]:
            raise _unreadable(self.path, self.dialect, error) from error
        wider = _LADDER[_LADDER.index(self.types[name]) + 1 :]
        self.types[name] = next((kind for kind in wider if _holds(kind, found[2], self.dialect)), _CODES)


class _TooLargeError(Exception):
    """A compressed file has more bytes than may be read at once."""


class _Limited(RawIOBase):
    """A file of which at most `largest` bytes can be read; the first byte after them is a _TooLargeError."""

    def __init__(self, file: pa.NativeFile, largest: int) -> None:
        self.file, self.left = file, largest

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content: bytes = self.file.read(None if size < 0 else size)
        self.left -= len(content)
        if self.left < 0:
            raise _TooLargeError
        return content


def _type(kind: pa.DataType, *, padded: bool) -> pa.DataType:
    """Return the type that a column has from the first block on; digits that begin with a zero are codes."""
    return _CODES if is_text(kind) or (padded and pa.types.is_integer(kind)) else kind


def _holds(kind: pa.DataType, value: str, dialect: Dialect) -> bool:
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


def _opened(path: Path) -> pa.NativeFile:
    """Open a file as its ending says it is packed, whatever the ending's case."""
    return pa.input_stream(str(path), compression=compression_of(path))


def _dialect(path: Path, na_values: Sequence[str]) -> Dialect:
    usual = "\t" if kind_of(path) == ".tsv" else ","
    with suppress(pa.ArrowException, OSError, EOFError), _opened(path) as file:  # what is wrong, `_read_head` says
        return Dialect.of(file.read(HEAD_BYTES), usual, na_values)
    return Dialect(usual)


def _read_head(path: Path, dialect: Dialect) -> pa.Schema:
    options = dialect.convert_options()
    try:
        with _opened(path) as file:
            encoding = foreign_encoding(file.read(HEAD_BYTES))
        if encoding:
            msg = f"{path} seems to be in {encoding}; save it in UTF-8 (in Excel: CSV UTF-8)"
            raise InvalidInput(msg)
        with pc.open_csv(_opened(path), parse_options=dialect.parse_options, convert_options=options) as reader:
            schema: pa.Schema = reader.schema
        _ = schema.names
        return schema
    except UnicodeDecodeError as error:
        msg = f"{path}, line 1 is not UTF-8; save the file in UTF-8"
        raise InvalidInput(msg) from error
    except (pa.ArrowException, OSError, EOFError) as error:
        raise _unreadable(path, dialect, error) from error


def _checked(path: Path, texts: Types, dialect: Dialect, table: pa.Table) -> pd.DataFrame:
    binary = [f.name for f in table.schema if pa.types.is_binary(_values_of(f.type))]
    if binary:
        msg = f"{path}: {', '.join(binary)} is not UTF-8; save the file in UTF-8"
        raise InvalidInput(msg)
    for name in texts:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, _compact(_without(table.column(place), dialect)))
    return to_frame(table)


def _without(texts: pa.ChunkedArray, dialect: Dialect) -> pa.ChunkedArray:
    """Return codes without those that stand for a missing value."""
    words = {*MISSING_TEXT, *set(dialect.missing).difference(MISSING)}
    return pac.if_else(pac.is_in(texts, value_set=pa.array(sorted(words))), None, texts)


def _compact(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Store codes in less room where nothing is lost: as whole numbers or, if there are few, as a dictionary.

    7.0 is 7 and 1.50 is 1.5: a number as a code is the same wherever another program made a float of it.
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
    """Say what is wrong with a file, and in which line: only a reader without threads counts lines."""
    text = str(error)
    if "Row #" not in text and "CSV parse error" in text:
        text = _of_one_thread(path, dialect) or text
    line = re.search(r"Row #(\d+): (.*)", text, re.DOTALL)
    words = line[2] if line else text.removeprefix("CSV parse error: ")
    place = f"{path}, line {line[1]}" if line else str(path)
    return InvalidInput(f"{place} cannot be read: {words}")


def _of_one_thread(path: Path, dialect: Dialect) -> str | None:
    try:
        pc.read_csv(_opened(path), pc.ReadOptions(use_threads=False), dialect.parse_options)
    except (pa.ArrowException, OSError) as error:
        return str(error)
    return None
