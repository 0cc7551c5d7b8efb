"""What a raw data file may hold: each value checked, and turned into the value that is stored. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from churn.columns import CDR_FILE_COLUMNS, CDR_USAGE, Cdr
from flaskapp.raw.file import Piece

INSTANT = r"^\d{4}-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d{1,6})?Z?)?$"
SUBSCRIBER = r"^[0-9A-Za-z+*#_.-]{1,20}$"
MISSING = r"(|NULL|\\N)"
WHOLE = rf"^({MISSING}|\d{{1,18}}(\.0+)?)$"
LABEL = rf"^({MISSING}|[01](\.0+)?)$"
OLDEST = pd.Timestamp("1970-01-01", tz="UTC")
SHOWN = 40
"""Characters of a faulty value that are shown."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in one place of the file; `column` is None where the line as a whole is."""

    line: int
    column: str | None
    says: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.says}" if self.column else f"line {self.line}: {self.says}"


def faults_of(piece: Piece, newest: datetime) -> Iterator[Fault]:
    """Find every fault of a piece; a stamp after `newest` is one."""
    for line, fields in piece.ragged:
        yield Fault(line, None, f"{fields} fields where there must be {len(CDR_FILE_COLUMNS)}")
    read = stamps(piece)
    yield from _places(piece, Cdr.DATE, read.isna().to_numpy(), "is no day or UTC instant such as 2026-01-31")
    outside = ((read > newest) | (read < OLDEST)).to_numpy()
    yield from _places(piece, Cdr.DATE, outside, f"is not between {OLDEST:%Y-%m-%d} and {newest:%Y-%m-%d %H:%M} UTC")
    yield from _places(
        piece, Cdr.MSISDN, ~_matches(piece, Cdr.MSISDN, SUBSCRIBER), "is no subscriber: 1 to 20 digits or letters"
    )
    for name in CDR_USAGE:
        yield from _places(piece, name, ~_matches(piece, name, WHOLE), "is no whole number from 0 on; empty is missing")
    wrong = ~_matches(piece, Cdr.PSEUDO_CHURNED, LABEL)
    yield from _places(piece, Cdr.PSEUDO_CHURNED, wrong, "is neither 0 nor 1; empty is not known")


def _places(piece: Piece, column: str, wrong: npt.NDArray[np.bool_], says: str) -> Iterator[Fault]:
    for row in np.flatnonzero(wrong):
        value: bytes = piece.columns[column][int(row)].as_py()
        yield Fault(int(piece.lines[row]), column, f"{value.decode(errors='replace')[:SHOWN]!r} {says}")


def _matches(piece: Piece, column: str, pattern: str) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = pc.match_substring_regex(piece.columns[column], pattern).to_numpy()
    return found.astype(np.bool_)


def stamps(piece: Piece) -> "pd.Series[pd.Timestamp]":
    """Read a piece's stamps, in UTC; NaT for what is none."""
    well_formed = pa.array(_matches(piece, Cdr.DATE, INSTANT))
    text = pc.if_else(well_formed, piece.columns[Cdr.DATE], None).cast(pa.string()).to_pandas()
    read: pd.Series[pd.Timestamp] = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce").dt.as_unit("us")
    return read


def frame_of(piece: Piece, prefix: str) -> pd.DataFrame:
    """Turn a piece without faults into records; their ids are the prefix and the line."""
    columns: dict[str, object] = {
        Cdr.DATE: stamps(piece),
        Cdr.MSISDN: piece.columns[Cdr.MSISDN].cast(pa.string()).to_pandas(),
        Cdr.RECORD_ID: prefix + pd.Series(piece.lines).astype(str),
    }
    for name in (*CDR_USAGE, Cdr.PSEUDO_CHURNED):
        columns[name] = pd.array(_integers(piece.columns[name]).to_pandas(), dtype="Int64")
    return pd.DataFrame({str(name): values for name, values in columns.items()})


def _integers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    missing = pc.match_substring_regex(column, f"^{MISSING}$")
    digits = pc.replace_substring_regex(column.cast(pa.string()), r"\.0+$", "")
    return pc.if_else(missing, None, digits).cast(pa.int64())
