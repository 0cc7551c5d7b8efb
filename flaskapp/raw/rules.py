"""The rules of a raw data file: each value is checked and converted to the stored value. No I/O here."""

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
WHOLE_NUMBER = rf"^({MISSING}|\d{{1,18}}(\.0+)?)$"
LABEL = rf"^({MISSING}|[01](\.0+)?)$"
OLDEST = pd.Timestamp("1970-01-01", tz="UTC")
SHOWN_CHARACTERS = 40
"""How many characters of an invalid value a message shows."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in one line; `column` is None if it concerns the whole line."""

    line: int
    column: str | None
    message: str

    def __str__(self) -> str:
        return (
            f"line {self.line}, {self.column}: {self.message}" if self.column else f"line {self.line}: {self.message}"
        )


def faults_of(piece: Piece, newest: datetime) -> Iterator[Fault]:
    """Yield every fault of a piece; a stamp after `newest` is a fault."""
    for line, fields in piece.ragged:
        yield Fault(line, None, f"{fields} fields instead of {len(CDR_FILE_COLUMNS)}")
    parsed = stamps(piece)
    yield from _value_faults(
        piece, Cdr.DATE, parsed.isna().to_numpy(), "is not a day or UTC instant such as 2026-01-31"
    )
    outside = ((parsed > newest) | (parsed < OLDEST)).to_numpy()
    yield from _value_faults(
        piece, Cdr.DATE, outside, f"is not between {OLDEST:%Y-%m-%d} and {newest:%Y-%m-%d %H:%M} UTC"
    )
    yield from _value_faults(
        piece, Cdr.MSISDN, ~_matches(piece, Cdr.MSISDN, SUBSCRIBER), "is not a subscriber: 1 to 20 digits or letters"
    )
    for name in CDR_USAGE:
        yield from _value_faults(
            piece,
            name,
            ~_matches(piece, name, WHOLE_NUMBER),
            "is not a whole number of 0 or more; leave it empty if missing",
        )
    invalid = ~_matches(piece, Cdr.PSEUDO_CHURNED, LABEL)
    yield from _value_faults(piece, Cdr.PSEUDO_CHURNED, invalid, "is neither 0 nor 1; leave it empty if unknown")


def _value_faults(piece: Piece, column: str, invalid: npt.NDArray[np.bool_], message: str) -> Iterator[Fault]:
    for row in np.flatnonzero(invalid):
        value: bytes = piece.columns[column][int(row)].as_py()
        yield Fault(int(piece.lines[row]), column, f"{value.decode(errors='replace')[:SHOWN_CHARACTERS]!r} {message}")


def _matches(piece: Piece, column: str, pattern: str) -> npt.NDArray[np.bool_]:
    matched: npt.NDArray[np.bool_] = pc.match_substring_regex(piece.columns[column], pattern).to_numpy()
    return matched.astype(np.bool_)


def stamps(piece: Piece) -> "pd.Series[pd.Timestamp]":
    """Return a piece's stamps in UTC; NaT for an invalid one."""
    well_formed = pa.array(_matches(piece, Cdr.DATE, INSTANT))
    text = pc.if_else(well_formed, piece.columns[Cdr.DATE], None).cast(pa.string()).to_pandas()
    parsed: pd.Series[pd.Timestamp] = pd.to_datetime(text, format="ISO8601", utc=True, errors="coerce").dt.as_unit("us")
    return parsed


def frame_of(piece: Piece, prefix: str) -> pd.DataFrame:
    """Return the records of a piece without faults; a record's id is the prefix and its line."""
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
