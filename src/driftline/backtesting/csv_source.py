"""CSV files, compressed ones too: read by all cores where they fit, else block by block with types that were tried."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc

from driftline.backtesting.sources import LARGEST_WHOLE, is_text, name_of, to_frame
from driftline.errors import InvalidInput

MISSING = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
]  # fmt: skip
"""What stands for a missing value, as pandas has it."""
BLOCK_BYTES = 64 * 1024 * 1024
PIECE_BYTES = 16 * 1024 * 1024
"""How much of a file that is read whole one thread takes at a time: fewer and larger pieces are put together faster."""
COMPRESSION = 6
"""How many times larger a compressed file is taken to be."""
_CATEGORIES = 5_000
"""Text with up to this many distinct values is read as codes."""
_WIDER = {"null": pa.float64(), "int64": pa.float64(), "date32[day]": pa.timestamp("s")}
_CODES = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True, eq=False)
class CsvSource:
    """A CSV file with a header line, in UTF-8; `types` are those of its columns, if it is read block by block."""

    path: Path
    columns: tuple[str, ...]
    name: str
    whole: bool
    types: dict[str, pa.DataType] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path, largest: int = LARGEST_WHOLE) -> "CsvSource":
        """Look at the file's head; one without header, or with a name twice, is an InvalidInput."""
        size = path.stat().st_size * (COMPRESSION if path.suffix in (".gz", ".bz2", ".zst") else 1)
        schema = _read_head(path)
        twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
        if twice:
            msg = f"{path}, line 1: column names must be distinct; twice there: {', '.join(twice)}"
            raise InvalidInput(msg)
        types = {f.name: _CODES if is_text(f.type) else f.type for f in schema}
        return cls(path, tuple(schema.names), name_of(path), whole=size <= largest, types=types)

    def blocks(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Yield the rows; a row with too many or too few fields is an InvalidInput with its line."""
        yield from (self._whole(columns) if self.whole else self._streamed(columns))

    def _whole(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        wanted = _options(columns, auto_dict_encode=True, auto_dict_max_cardinality=_CATEGORIES)
        try:
            pieces = pc.ReadOptions(block_size=PIECE_BYTES)
            table = pc.read_csv(self.path, pieces, _parsing(self.path), wanted)
        except (pa.ArrowException, OSError) as error:
            raise _unreadable(self.path, error) from error
        yield _checked(self.path, table)

    def _streamed(self, columns: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Read blocks; where a type does not hold for a later block, widen it and go on behind what was yielded."""
        done = 0
        while True:
            start, done = done, 0
            try:
                for batch in self._batches(columns):
                    done += batch.num_rows
                    if done > start:
                        rows = batch.slice(max(0, batch.num_rows - (done - start)))
                        yield _checked(self.path, pa.Table.from_batches([rows]))
                        start = done
                return
            except pa.ArrowException as error:
                self._widen(error)
                done = start

    def _batches(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        reading = pc.ReadOptions(block_size=BLOCK_BYTES)
        types = {name: self.types[name] for name in columns}
        with pc.open_csv(
            self.path,
            read_options=reading,
            parse_options=_parsing(self.path),
            convert_options=_options(columns, column_types=types),
        ) as reader:
            yield from reader

    def _widen(self, error: Exception) -> None:
        found = re.search(r"In CSV column #(\d+).*conversion error to ([\w\[\]]+)", str(error), re.DOTALL)
        if not found:
            raise _unreadable(self.path, error) from error
        name = self.columns[int(found[1])]
        wider = _WIDER.get(str(self.types[name]), _CODES)
        if wider == self.types[name]:
            raise _unreadable(self.path, error) from error
        self.types[name] = wider


def _options(columns: Sequence[str], **more: object) -> pc.ConvertOptions:
    return pc.ConvertOptions(
        null_values=MISSING,
        strings_can_be_null=True,
        include_columns=list(columns),
        **more,
    )


def _parsing(path: Path) -> pc.ParseOptions:
    return pc.ParseOptions(delimiter="\t" if ".tsv" in path.suffixes else ",", newlines_in_values=True)


def _read_head(path: Path) -> pa.Schema:
    options = pc.ConvertOptions(null_values=MISSING, strings_can_be_null=True)
    try:
        with pc.open_csv(path, parse_options=_parsing(path), convert_options=options) as reader:
            return reader.schema
    except (pa.ArrowException, OSError, EOFError) as error:
        raise _unreadable(path, error) from error


def _checked(path: Path, table: pa.Table) -> pd.DataFrame:
    binary = [f.name for f in table.schema if pa.types.is_binary(_values_of(f.type))]
    if binary:
        msg = f"{path}: {', '.join(binary)} is not UTF-8; save the file in UTF-8"
        raise InvalidInput(msg)
    return to_frame(table)


def _values_of(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _unreadable(path: Path, error: Exception) -> InvalidInput:
    """Say what is wrong with a file, and in which line: only a reader without threads counts lines."""
    text = str(error)
    if "Row #" not in text and "CSV parse error" in text:
        text = _of_one_thread(path) or text
    line = re.search(r"Row #(\d+): (.*)", text, re.DOTALL)
    words = line[2] if line else text.removeprefix("CSV parse error: ")
    place = f"{path}, line {line[1]}" if line else str(path)
    return InvalidInput(f"{place} cannot be read: {words}")


def _of_one_thread(path: Path) -> str | None:
    try:
        pc.read_csv(path, read_options=pc.ReadOptions(use_threads=False), parse_options=_parsing(path))
    except (pa.ArrowException, OSError) as error:
        return str(error)
    return None
