"""Where rows come from: a frame, a Parquet file or a CSV file, whole or block by block."""

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
        except (pa.ArrowException, OSError) as error:
            msg = f"{path} cannot be read as Parquet: {error}"
            raise InvalidInput(msg) from error
        size = max(footer.num_rows * 8 * len(schema), 1)
        return cls(path, schema, name_of(path), whole=size <= largest)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(self.schema.names)

    def blocks(self, columns: Sequence[str], codes: Collection[str] = ()) -> Iterator[pd.DataFrame]:
        """Yield the rows; text is read as codes."""
        texts = [name for name in columns if is_text(self.schema.field(name).type)]
        file = pq.ParquetFile(self.path, read_dictionary=texts)
        try:
            if self.whole:
                yield to_frame(file.read(columns=list(columns)))
                return
            for batch in file.iter_batches(BLOCK_ROWS, columns=list(columns)):
                yield to_frame(pa.Table.from_batches([batch]))
        except (pa.ArrowException, OSError) as error:
            msg = f"{self.path} is damaged: {error}"
            raise InvalidInput(msg) from error


def is_text(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is text that may be read as codes."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Turn Arrow into a frame with as few copies as there can be: numbers by reference, text as categories.

    Whole numbers of which some are missing stay whole numbers: as floats, large ids would become one another.
    """
    names = table.column_names
    sparse = [name for name in names if pa.types.is_integer(table[name].type) and table[name].null_count]
    whole = {name: _nullable(table[name]) for name in sparse}
    rest = table.drop_columns(sparse) if sparse else table
    frame: pd.DataFrame = rest.to_pandas(
        split_blocks=True, self_destruct=True, date_as_object=False, ignore_metadata=True
    )
    pa.default_memory_pool().release_unused()
    return pd.concat([frame, pd.DataFrame(whole)], axis=1)[names] if whole else frame


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
