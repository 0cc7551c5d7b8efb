"""The sources of rows: a frame, a Parquet file or a CSV file, read whole or block by block."""

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import isnan
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.values.storage import nullable_integers, plain_arrow
from driftline.errors import InvalidInput

LARGEST_WHOLE = 512 * 1024 * 1024
"""A file of up to about this many bytes in memory is read once and whole; a larger one twice, block by block."""
BLOCK_ROWS = 500_000
_UNREADABLE = (pa.ArrowException, OSError, ValueError, LookupError, ArithmeticError)
"""The errors of Arrow and pandas for values that do not have the type which the file declares."""
PARQUET_SUFFIXES = (".parquet", ".pq")
_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}


class ReadAgainError(Exception):
    """The blocks so far are invalid, since a later one needs a wider type of a column; read the source again."""


class TableSource(Protocol):
    """Rows of one table, always the same ones in the same order."""

    @property
    def name(self) -> str:
        """The default name of the model."""

    @property
    def single_block(self) -> bool:
        """Whether `blocks` yields all rows as one block, which fits in memory; else it reads the file on each call."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""

    @property
    def notes(self) -> tuple[Inference, ...]:
        """What was inferred about the format of the table."""

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the rows with these columns; in columns of `codes`, 007 and 7 are two values.

        Raises ReadAgainError where the caller must drop the blocks it got and read them again.
        """


@dataclass(frozen=True, slots=True, eq=False)
class FrameSource:
    """A frame in memory."""

    frame: pd.DataFrame
    name: str = "frame"
    single_block: bool = True
    notes: tuple[Inference, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, as text, and of the named levels of the index."""
        names = name_columns(self.frame.columns.tolist())
        return names + tuple(name for name in map(str, self._levels()) if name not in names)

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the frame itself, or some of its columns."""
        width = self.frame.shape[1]
        indices = [self.columns.index(name) for name in columns]
        if indices == list(range(width)):
            rows = self.frame.copy(deep=False)
        else:
            rows = self.frame.iloc[:, [index for index in indices if index < width]]
        rows.columns = pd.Index([name for name, index in zip(columns, indices, strict=True) if index < width])
        if max(indices, default=0) < width:
            yield rows
            return
        labels = self.frame.index
        levels = {str(name): labels.get_level_values(level) for level, name in enumerate(labels.names)}
        series = {name: rows[name].array if name in rows else levels[name].array for name in columns}
        yield pd.DataFrame(series, copy=False)

    def _levels(self) -> list[Hashable]:
        """Return the names of the index, which files store as columns."""
        return [name for name in self.frame.index.names if name is not None]


@dataclass(frozen=True, slots=True, eq=False)
class ParquetSource:
    """A Parquet file, or a folder with the parts of one table; only the requested columns are read."""

    path: Path
    parts: tuple[Path, ...]
    schema: pa.Schema
    name: str
    single_block: bool
    notes: tuple[Inference, ...] = ()

    @classmethod
    def of(cls, path: Path, largest: int = LARGEST_WHOLE) -> "ParquetSource":
        """Read the footers of the files.

        Raises InvalidInput for a file that is not Parquet, and for parts with different columns.
        """
        parts = parts_of(path) if path.is_dir() else (path,)
        footers = [_footer(part) for part in parts]
        schema, _ = footers[0]
        reject_repeated(parts[0], schema.names)
        for part, (fields, _) in zip(parts, footers, strict=True):
            if not fields.equals(schema):
                msg = (
                    f"{path}: {part.name} has other columns or types than {parts[0].name}; write the table again, or "
                    "leave the parts out that do not belong to it"
                )
                raise InvalidInput(msg)
        size = max(sum(rows for _, rows in footers) * 8 * len(schema), 1)
        return cls(path, parts, schema, name_of(path), single_block=size <= largest)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return name_columns(self.schema.names)

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the rows; text is read as codes."""
        try:
            yield from map(to_frame, self._tables(columns))
        except _UNREADABLE as error:
            raise self._unreadable(columns, error) from error

    @property
    def _fields(self) -> dict[str, pa.Field]:
        return dict(zip(self.columns, self.schema, strict=True))

    def _unreadable(self, columns: Sequence[str], error: Exception) -> InvalidInput:
        """Return the error for values that pandas cannot hold; to name the column, each is read again by itself."""
        for name in columns:
            try:
                for table in self._tables([name]):
                    to_frame(table)
            except _UNREADABLE as fault:
                kind = self._fields[name].type
                cure = "write its values as numbers, text or times, or name the features without it"
                return InvalidInput(
                    f"{self.path}: column {name!r} of type {kind} cannot be read ({one_line(fault)}); {cure}"
                )
        return _damaged(self.path, error, "it is damaged: write it again")

    def _tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the rows as Arrow tables, one or block by block, with text as dictionaries."""
        fields = self._fields
        stored = [fields[name].name for name in columns]
        texts = [fields[name].name for name in columns if is_text(fields[name].type)]
        tables = chain.from_iterable(self._tables_of(part, stored, texts) for part in self.parts)
        joined = (
            [pa.concat_tables(tables).unify_dictionaries()] if self.single_block and len(self.parts) > 1 else tables
        )
        yield from (table.rename_columns(list(columns)) for table in joined)

    def _tables_of(self, part: Path, stored: Sequence[str], texts: Sequence[str]) -> Iterator[pa.Table]:
        """Yield the rows of one file, whole or block by block, without a copy of its bytes (`pre_buffer`)."""
        try:
            file = pq.ParquetFile(part, read_dictionary=texts, pre_buffer=False)
            if self.single_block:
                yield file.read(columns=stored)
                return
            for batch in file.iter_batches(_rows_of_block(len(stored)), columns=stored):
                yield pa.Table.from_batches([batch])
        except _UNREADABLE as error:
            raise _damaged(part, error, "it is damaged: write it again") from error


def parts_of(folder: Path) -> tuple[Path, ...]:
    """Return the Parquet files in a folder, in the order of their names; empty files and hidden ones are no parts."""
    files = (path for path in folder.iterdir() if path.suffix.lower() in PARQUET_SUFFIXES)
    return tuple(sorted(path for path in files if path.is_file() and path.name[0] not in "._"))


def _footer(path: Path) -> tuple[pa.Schema, int]:
    """Return the columns and the number of rows of a Parquet file; raise InvalidInput for another file."""
    try:
        footer = pq.read_metadata(path)
        schema = footer.schema.to_arrow_schema()
        _ = schema.names  # decodes them
    except _UNREADABLE as error:
        raise _damaged(path, error, "it is damaged or of another format: write it again") from error
    return schema, footer.num_rows


def _damaged(path: Path, error: Exception, cure: str) -> InvalidInput:
    """Return the error for a file that Arrow cannot read, with `cure`, or that of an encrypted file."""
    reason = one_line(error)
    if "crypt" in reason.lower():
        cure = "it is encrypted: write it without encryption"
    return InvalidInput(f"{path} cannot be read as Parquet ({reason}); {cure}")


def _rows_of_block(columns: int) -> int:
    """Return how many rows to read at a time from a file with this many columns."""
    return max(1, min(BLOCK_ROWS, LARGEST_WHOLE // (8 * max(1, columns))))


def reject_repeated(path: Path, names: Sequence[str], place: str = "") -> None:
    """Raise InvalidInput if two columns of a file have the same name."""
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        msg = f"{path}{place}: column names must be distinct; repeated: {', '.join(repeated)}"
        raise InvalidInput(msg)


def one_line(error: Exception) -> str:
    """Return an error's text without line breaks."""
    return " ".join(str(error).split())


UNNAMED = "unnamed column"
"""The prefix of the name for a column without a name; its number, from 1 on, follows."""


def name_columns(names: Sequence[Hashable]) -> tuple[str, ...]:
    """Return the names of columns as text; a column without a name gets one with its number."""
    return tuple(f"{UNNAMED} {number}" if _is_empty(name) else str(name) for number, name in enumerate(names, 1))


def is_unnamed(name: str) -> bool:
    """Return whether the name of a column is one that pandas or `name_columns` gives to a column without a name."""
    return re.fullmatch(rf"{UNNAMED} \d+|Unnamed: \d+(_level_\d+)?|__index_level_\d+__", name) is not None


def _is_empty(name: Hashable) -> bool:
    return name is None or (isinstance(name, str) and not name.strip()) or (isinstance(name, float) and isnan(name))


def is_text(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is text that can be read as a dictionary."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as a frame with as few copies as possible: numbers by reference, text as categories.

    Integers with missing values stay integers: as floats, large ids would become equal. Instants are in UTC. The table
    must not be used afterwards, even after an error.
    """
    table = _in_utc(table.replace_schema_metadata(None))
    names = table.column_names
    table = pa.table({name: plain_arrow(table[name]) for name in names})
    sparse = [name for name in names if pa.types.is_integer(table[name].type) and table[name].null_count]
    nullable = {name: nullable_integers(table[name]) for name in sparse}
    dense = table.drop_columns(sparse) if sparse else table
    frame: pd.DataFrame = dense.to_pandas(
        split_blocks=True, self_destruct=True, date_as_object=False, ignore_metadata=True
    )
    pa.default_memory_pool().release_unused()
    return pd.concat([frame, pd.DataFrame(nullable)], axis=1)[names] if nullable else frame


def _in_utc(table: pa.Table) -> pa.Table:
    """Return a table with its instants in UTC: the time zone of a file may be unknown on this machine."""
    fields = [
        field.with_type(pa.timestamp(field.type.unit, "UTC"))
        if pa.types.is_timestamp(field.type) and field.type.tz
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields)) if fields != list(table.schema) else table


def name_of(path: Path) -> str:
    """Return a file's name without its endings."""
    return path.name.split(".")[0] or path.name


def compression_of(path: Path) -> str | None:
    """Return the compression of a file, by its last ending in any case; None without one."""
    return _COMPRESSIONS.get(path.suffix.lower())


def kind_of(path: Path) -> str:
    """Return the ending that names a file's format, in lower case: `.csv` for `A.CSV.GZ`."""
    return Path(path.stem if compression_of(path) else path.name).suffix.lower()
