"""Where rows come from: a frame, a Parquet file or a CSV file, whole or block by block."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

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

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns, as text."""
        return tuple(map(str, self.frame.columns))

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the frame itself, or some of its columns."""
        places = [self.columns.index(name) for name in columns]
        whole = places == list(range(len(self.columns)))
        rows = self.frame.copy(deep=False) if whole else self.frame.iloc[:, places]
        rows.columns = pd.Index(columns)
        yield rows


@dataclass(frozen=True, slots=True, eq=False)
class ParquetSource:
    """A Parquet file; only the columns asked for are read."""

    path: Path
    schema: pa.Schema
    name: str
    whole: bool

    @classmethod
    def of(cls, path: Path, largest: int = LARGEST_WHOLE) -> "ParquetSource":
        """Look at the file's footer; what is no Parquet file is an InvalidInput."""
        try:
            footer = pq.read_metadata(path)
            schema = footer.schema.to_arrow_schema()
            names = schema.names
        except _UNREADABLE as error:
            fault = one_line(error)
            msg = f"{path} cannot be read as Parquet ({fault}); it is damaged or of another format: write it again"
            raise InvalidInput(msg) from error
        reject_repeated(path, names)
        size = max(footer.num_rows * 8 * len(schema), 1)
        return cls(path, schema, name_of(path), whole=size <= largest)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(self.schema.names)

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the rows; text is read as codes."""
        try:
            yield from map(to_frame, self._tables(columns))
        except _UNREADABLE as error:
            raise self._unreadable(columns, error) from error

    def _unreadable(self, columns: Sequence[str], error: Exception) -> InvalidInput:
        """Return the error for values that pandas cannot hold; the columns are read again, one by one, to name it."""
        for name in columns:
            try:
                for table in self._tables([name]):
                    to_frame(table)
            except _UNREADABLE as fault:
                kind = self.schema.field(name).type
                cure = "write its values as numbers, text or times, or name the features without it"
                return InvalidInput(
                    f"{self.path}: column {name!r} of type {kind} cannot be read ({one_line(fault)}); {cure}"
                )
        return InvalidInput(f"{self.path} is damaged ({one_line(error)}); write it again")

    def _tables(self, columns: Sequence[str]) -> Iterator[pa.Table]:
        texts = [name for name in columns if is_text(self.schema.field(name).type)]
        try:
            file = pq.ParquetFile(self.path, read_dictionary=texts)
            if self.whole:
                yield file.read(columns=list(columns))
                return
            for batch in file.iter_batches(_rows_of_block(len(columns)), columns=list(columns)):
                yield pa.Table.from_batches([batch])
        except _UNREADABLE as error:
            msg = f"{self.path} is damaged ({one_line(error)}); write it again"
            raise InvalidInput(msg) from error


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
    sparse = [name for name in names if pa.types.is_integer(table[name].type) and table[name].null_count]
    whole = {name: _nullable(table[name]) for name in sparse}
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


def _nullable(column: pa.ChunkedArray) -> Any:
    """Return whole numbers as pandas' own type for those of which some are missing."""
    kind = str(column.type).replace("i", "I").replace("uI", "UI")
    dtype: Any = pd.api.types.pandas_dtype(kind)
    return dtype.__from_arrow__(column)


def name_of(path: Path) -> str:
    """Return a file's name without its endings."""
    return path.name.split(".")[0] or path.name


def compression_of(path: Path) -> str | None:
    """Return how a file is packed, by its last ending in any case; None if it is not."""
    return _COMPRESSIONS.get(path.suffix.lower())


def kind_of(path: Path) -> str:
    """Return the ending that says what is in a file, in lower case: of `A.CSV.GZ` it is `.csv`."""
    return Path(path.stem if compression_of(path) else path.name).suffix.lower()
