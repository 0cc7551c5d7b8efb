"""Opens what a user passes as data: a frame, or the path of a CSV or Parquet file."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

import pandas as pd

from driftline.backtesting.input.csv_source import CsvSource
from driftline.backtesting.input.sources import FrameSource, ParquetSource, TableSource, kind_of
from driftline.errors import InvalidInput


def open_source(data: pd.DataFrame | str | PathLike[str], na_values: Sequence[str] = ()) -> TableSource:
    """Return the source for a frame or for the path of a file (.csv, .csv.gz, .parquet, .pq).

    `na_values` are additional words for a missing value; they count when the types of a CSV file are inferred. Raises
    InvalidInput where the file does not exist or has another ending.
    """
    if isinstance(data, pd.DataFrame):
        return FrameSource(data)
    if not isinstance(data, str | PathLike):
        msg = f"data must be a frame or the path of a file, not {type(data).__name__}; pandas.DataFrame(data) makes one"
        raise InvalidInput(msg)
    path = Path(data)
    if not path.is_file():
        raise InvalidInput(_no_file(path))
    if path.suffix.lower() in (".parquet", ".pq"):
        return ParquetSource.of(path)
    if kind_of(path) in (".csv", ".tsv", ".txt"):
        return CsvSource.of(path, na_values=na_values)
    msg = f"{path.name} is neither CSV (.csv, .csv.gz) nor Parquet (.parquet, .pq) by its name; rename or convert it"
    raise InvalidInput(msg)


def _no_file(path: Path) -> str:
    """Return the message for a path that is not a regular file."""
    if path.is_dir():
        return f"{path} is a folder; name a file in it"
    if path.exists():
        return f"{path} is not a regular file but a device, a pipe or a socket; save its content in a file first"
    return f"there is no file {path}"
