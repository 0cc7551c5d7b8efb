"""The history in a raw data file, as batches of records. The same file always gives the same batches."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from churn.ledger import ChurnBatchKind
from driftline.store.ledger import MAX_ROWS
from flaskapp.history.loading import HistorySpan
from flaskapp.progress import Progress
from flaskapp.raw import file as raw_file
from flaskapp.raw import rules as raw_rules
from flaskapp.raw.check import CheckedFile
from flaskapp.raw.file import Piece
from flaskapp.records import RecordBatch

PREFIX = "file/"
SHORT = 16
"""Characters of the file's hash in the ids of its batches and records."""


def span_of(checked: CheckedFile) -> HistorySpan:
    """Return the span of a checked file."""
    return HistorySpan(f"{PREFIX}{checked.content_hash[:SHORT]}/", checked.first, checked.last)


def file_batches(path: Path, span: HistorySpan, progress: Progress) -> Iterator[RecordBatch]:
    """Yield a checked file as batches of at most 100,000 records; a record's id is the file's hash and its line."""
    file_id = span.prefix.removeprefix(PREFIX).removesuffix("/")
    for piece in _regroup(raw_file.pieces(path, progress), MAX_ROWS):
        frame = raw_rules.frame_of(piece, f"{file_id}:")
        yield RecordBatch(f"{span.prefix}{piece.lines[0]}", ChurnBatchKind.HISTORY, frame)


def _regroup(pieces: Iterator[Piece], rows: int) -> Iterator[Piece]:
    """Regroup the pieces into pieces of `rows` lines each; the last one may be shorter."""
    buffer: list[Piece] = []
    for piece in pieces:
        buffer.append(piece)
        while sum(len(part.lines) for part in buffer) >= rows:
            joined = _joined(buffer)
            yield Piece(joined.columns.slice(0, rows), joined.lines[:rows])
            buffer = [Piece(joined.columns.slice(rows), joined.lines[rows:])]
    if any(len(part.lines) for part in buffer):
        yield _joined(buffer)


def _joined(pieces: list[Piece]) -> Piece:
    return Piece(pa.concat_tables([p.columns for p in pieces]), np.concatenate([p.lines for p in pieces]))
