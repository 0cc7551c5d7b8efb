"""Where rows come from: a frame, a Parquet file or a CSV file, whole or block by block."""

import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from driftline.backtesting.inference import Inference
from driftline.backtesting.input.storage import nullable, plain_arrow
from driftline.errors import InvalidInput

LARGEST_WHOLE = 512 * 1024 * 1024
"""A file up to about this many bytes in memory is read once and whole; a larger one twice, block by block."""
BLOCK_ROWS = 500_000
_UNREADABLE = (pa.ArrowException, OSError, ValueError, LookupError, ArithmeticError)
"""What Arrow and pandas raise for values that are not what the file says they are."""
_COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}


class ReadAgainError(Exception):
    """What a source yielded is to be read again: later rows told of another type of a column, which it now has."""


class Source(Protocol):
    """Rows of one table, always the same ones in the same order."""

    @property
    def name(self) -> str:
        """What the model is called where nobody says so."""

    @property
    def whole(self) -> bool:
        """Whether `blocks` yields all rows as one block, to be kept; else they come block by block, again each time."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""

    @property
    def notes(self) -> tuple[Inference, ...]:
        """What was inferred of how the table is written."""

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the rows with these columns; in `codes`, which are no quantities, 007 and 7 are two values.

        A ReadAgainError means that what was yielded is to be forgotten and read again.
        """


@dataclass(frozen=True, slots=True, eq=False)
class FrameSource:
    """A frame in memory."""

    frame: pd.DataFrame
    name: str = "frame"
    whole: bool = True
    notes: tuple[Inference, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, as text, and of the levels of the index that have a name of their own."""
        names = named(self.frame.columns.tolist())
        return names + tuple(name for name in map(str, self._levels()) if name not in names)

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the frame itself, or some of its columns."""
        width = self.frame.shape[1]
        places = [self.columns.index(name) for name in columns]
        if places == list(range(width)):
            rows = self.frame.copy(deep=False)
        else:
            rows = self.frame.iloc[:, [place for place in places if place < width]]
        rows.columns = pd.Index([name for name, place in zip(columns, places, strict=True) if place < width])
        if max(places, default=0) < width:
            yield rows
            return
        index = self.frame.index
        levels = {str(name): index.get_level_values(place) for place, name in enumerate(index.names)}
        series = {name: rows[name].array if name in rows else levels[name].array for name in columns}
        yield pd.DataFrame(series, copy=False)

    def _levels(self) -> list[Hashable]:
        """Return the names of the index, which files store as columns."""
        return [name for name in self.frame.index.names if name is not None]


@dataclass(frozen=True, slots=True, eq=False)
class ParquetSource:
    """A Parquet file; only the columns asked for are read."""

    path: Path
    schema: pa.Schema
    name: str
    whole: bool
    notes: tuple[Inference, ...] = ()

    @classmethod
    def of(cls, path: Path, largest: int = LARGEST_WHOLE) -> "ParquetSource":
        """Look at the file's footer; what is no Parquet file is an InvalidInput."""
        try:
            footer = pq.read_metadata(path)
            schema = footer.schema.to_arrow_schema()
            names = schema.names
        except _UNREADABLE as error:
            raise _damaged(path, error, "it is damaged or of another format: write it again") from error
        reject_repeated(path, names)
        size = max(footer.num_rows * 8 * len(schema), 1)
        return cls(path, schema, name_of(path), whole=size <= largest)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return named(self.schema.names)

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
        """Return the error for values that pandas cannot hold; the columns are read again, one by one, to name it."""
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
        fields = self._fields
        stored = [fields[name].name for name in columns]
        texts = [fields[name].name for name in columns if is_text(fields[name].type)]
        try:
            file = pq.ParquetFile(self.path, read_dictionary=texts)
            if self.whole:
                yield file.read(columns=stored).rename_columns(list(columns))
                return
            for batch in file.iter_batches(_rows_of_block(len(columns)), columns=stored):
                yield pa.Table.from_batches([batch]).rename_columns(list(columns))
        except _UNREADABLE as error:
            raise _damaged(self.path, error, "it is damaged: write it again") from error


def _damaged(path: Path, error: Exception, cure: str) -> InvalidInput:
    """Return the error for a file that Arrow cannot read, with its cure: that of an encrypted file is another."""
    reason = one_line(error)
    if "crypt" in reason.lower():
        cure = "it is encrypted: write it without encryption"
    return InvalidInput(f"{path} cannot be read as Parquet ({reason}); {cure}")


def _rows_of_block(columns: int) -> int:
    """Return how many rows of so many columns are read at a time: fewer of a wide file."""
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
"""Begins the name that a column without one is given, with its place from 1 on."""


def named(names: Sequence[Hashable]) -> tuple[str, ...]:
    """Return the names of columns as text; one without a name is called by its place."""
    return tuple(f"{UNNAMED} {place}" if _is_empty(name) else str(name) for place, name in enumerate(names, 1))


def is_unnamed(name: str) -> bool:
    """Return whether a column got its name from pandas, or from `named`, since it had none."""
    return re.fullmatch(rf"{UNNAMED} \d+|Unnamed: \d+(_level_\d+)?|__index_level_\d+__", name) is not None


def _is_empty(name: Hashable) -> bool:
    return name is None or (isinstance(name, str) and not name.strip()) or (isinstance(name, float) and isnan(name))


def is_text(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is text that may be read as codes."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Turn Arrow into a frame with as few copies as there can be: numbers by reference, text as categories.

    Whole numbers of which some are missing stay whole numbers: as floats, large ids would become one another. Instants
    are in UTC. The table may not be used afterwards, even where it raises an error.
    """
    table = _in_utc(table.replace_schema_metadata(None))
    names = table.column_names
    table = pa.table({name: plain_arrow(table[name]) for name in names})
    sparse = [name for name in names if pa.types.is_integer(table[name].type) and table[name].null_count]
    whole = {name: nullable(table[name]) for name in sparse}
    rest = table.drop_columns(sparse) if sparse else table
    frame: pd.DataFrame = rest.to_pandas(
        split_blocks=True, self_destruct=True, date_as_object=False, ignore_metadata=True
    )
    pa.default_memory_pool().release_unused()
    return pd.concat([frame, pd.DataFrame(whole)], axis=1)[names] if whole else frame


def _in_utc(table: pa.Table) -> pa.Table:
    """Return instants in UTC, whatever time zone they are to be shown in: its name may be unknown on this machine."""
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
    """Return how a file is packed, by its last ending in any case; None if it is not."""
    return _COMPRESSIONS.get(path.suffix.lower())


def kind_of(path: Path) -> str:
    """Return the ending that says what is in a file, in lower case: of `A.CSV.GZ` it is `.csv`."""
    return Path(path.stem if compression_of(path) else path.name).suffix.lower()
