"""The history in a raw data file: checked whole, then read as batches of records. Read again, the same batches."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from churn.ledger import ChurnBatchKind
from driftline.errors import InvalidInput
from driftline.store.ledger import MAX_ROWS
from flaskapp.history.loading import Progress, Span
from flaskapp.raw import file as raw_file
from flaskapp.raw import rules as raw_rules
from flaskapp.raw.file import Piece
from flaskapp.raw.rules import Fault
from flaskapp.records import RecordBatch

SHORT = 16
SHOWN_FAULTS = 50


def check_file(path: Path, newest: datetime, progress: Progress) -> Span:
    """Check every line of a raw data file; `progress` is told of bytes, each twice.

    Raises:
        InvalidInput: with the first faults, each with line and column, in `details`, and how many there are.
        SchemaMismatch: the header is another one. NotFound: there is no line.
    """
    digest = raw_file.content_hash(path, progress)
    faults = _Faults()
    ends: list[pd.Timestamp] = []
    for piece in raw_file.pieces(path, progress):
        faults.take(raw_rules.faults_of(piece, newest))
        stamps = raw_rules.stamps(piece).dropna()
        ends = _ends(ends, stamps)
    faults.require_none(path)
    if not ends:
        raise InvalidInput(f"{path} has a header and no records; nothing was loaded.")
    return Span(f"file/{digest[:SHORT]}/", ends[0].to_pydatetime(), ends[-1].to_pydatetime())


def _ends(ends: list[pd.Timestamp], stamps: "pd.Series[pd.Timestamp]") -> list[pd.Timestamp]:
    """Give the first and the last of all stamps so far."""
    every = sorted([*ends, *([stamps.min(), stamps.max()] if len(stamps) else [])])
    return [every[0], every[-1]] if every else []


class _Faults:
    """The first faults, and how many there are."""

    def __init__(self) -> None:
        self.first: list[Fault] = []
        self.total = 0

    def take(self, faults: Iterator[Fault]) -> None:
        for fault in sorted(faults, key=lambda fault: fault.line):
            self.total += 1
            if len(self.first) < SHOWN_FAULTS:
                self.first.append(fault)

    def require_none(self, path: Path) -> None:
        if self.total:
            shown = "" if self.total <= SHOWN_FAULTS else f", of which the first {SHOWN_FAULTS} are listed"
            raise InvalidInput(
                f"{path} has {self.total:,} faults{shown}; nothing was loaded.", details=tuple(map(str, self.first))
            )


def file_batches(path: Path, span: Span, progress: Progress) -> Iterator[RecordBatch]:
    """Read a checked file as batches of at most 100,000 records; a record's id is the file's hash and its line."""
    names = span.prefix.removeprefix("file/").removesuffix("/")
    for piece in _regrouped(raw_file.pieces(path, progress), MAX_ROWS):
        frame = raw_rules.frame_of(piece, f"{names}:")
        yield RecordBatch(f"{span.prefix}{piece.lines[0]}", ChurnBatchKind.HISTORY, frame)


def _regrouped(pieces: Iterator[Piece], rows: int) -> Iterator[Piece]:
    """Cut the pieces anew, each to `rows` lines save the last."""
    held: list[Piece] = []
    for piece in pieces:
        held.append(piece)
        while sum(len(one.lines) for one in held) >= rows:
            whole = _joined(held)
            yield Piece(whole.columns.slice(0, rows), whole.lines[:rows])
            held = [Piece(whole.columns.slice(rows), whole.lines[rows:])]
    if any(len(one.lines) for one in held):
        yield _joined(held)


def _joined(pieces: list[Piece]) -> Piece:
    return Piece(pa.concat_tables([one.columns for one in pieces]), np.concatenate([one.lines for one in pieces]))
