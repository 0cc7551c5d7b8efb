"""Opens what a user passes as data: a frame, or the path of a CSV or Parquet file."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import pandas as pd
import pyarrow as pa

from driftline.backtesting.input.sources.csv_source import CsvSource
from driftline.backtesting.input.sources.sources import (
    PARQUET_SUFFIXES,
    FrameSource,
    ParquetSource,
    TableSource,
    kind_of,
    name_of,
    one_line,
    parts_of,
    reject_repeated,
    to_frame,
)
from driftline.engine.frames.frame_type import not_a_frame
from driftline.errors import InvalidInput

ARROW_SUFFIXES = (".arrow", ".feather", ".ipc")


def open_source(data: pd.DataFrame | str | PathLike[str], na_values: Sequence[str] = ()) -> TableSource:
    """Return the source for a frame or for the path of a file (.csv, .csv.gz, .parquet, .pq, .arrow,
    .feather), or of a folder with the parts of one table in Parquet, as Spark writes it.

    `na_values` are additional words for a missing value; they count when the types of a CSV file are inferred. Raises
    InvalidInput where the file does not exist or has another ending, or a frame's columns have several levels.
    """
    if isinstance(data, pd.DataFrame):
        if isinstance(data.columns, pd.MultiIndex):
            msg = (
                f"the columns of the frame have {data.columns.nlevels} levels; "
                "join their names, as in data.columns = ['_'.join(map(str, name)) for name in data.columns]"
            )
            raise InvalidInput(msg)
        return FrameSource(data)
    if not isinstance(data, str | PathLike):
        msg = f"data must be a frame or the path of a file, {not_a_frame(data, 'data')}"
        raise InvalidInput(msg)
    path = Path(data)
    if path.is_dir() and parts_of(path):
        return ParquetSource.of(path)
    if not path.is_file():
        raise InvalidInput(_no_file(path))
    if path.suffix.lower() in PARQUET_SUFFIXES:
        return ParquetSource.of(path)
    if path.suffix.lower() in ARROW_SUFFIXES:
        return _arrow_source(path)
    if kind_of(path) in (".csv", ".tsv", ".txt"):
        return CsvSource.of(path, na_values=na_values)
    msg = (
        f"{path.name} is neither CSV (.csv, .csv.gz), Parquet (.parquet, .pq) nor Arrow (.arrow, .feather) "
        "by its name; rename or convert it"
    )
    raise InvalidInput(msg)


def _arrow_source(path: Path) -> FrameSource:
    """Return the rows of an Arrow IPC file or stream, which are read at once."""
    try:
        with pa.memory_map(str(path)) as file:
            try:
                table = pa.ipc.open_file(file).read_all()
            except pa.ArrowInvalid:
                file.seek(0)
                table = pa.ipc.open_stream(file).read_all()
            reject_repeated(path, table.column_names)
            return FrameSource(to_frame(table), name_of(path))
    except (pa.ArrowException, OSError, ValueError) as error:
        msg = f"{path} cannot be read as Arrow ({one_line(error)}); it is damaged or of another format: write it again"
        raise InvalidInput(msg) from error


def _no_file(path: Path) -> str:
    """Return the message for a path that is not a regular file."""
    if path.is_dir():
        return f"{path} is a folder without Parquet files; name a file in it"
    if path.exists():
        return f"{path} is not a regular file but a device, a pipe or a socket; save its content in a file first"
    return f"there is no file {path}"
