"""The share of a chunk's rows that repeat another row. Merges exactly. No I/O here.

A row with an id is a duplicate if an earlier row of the chunk has that id. A row without an id (a missing value, or a
frame without that column) is a duplicate if an earlier row without an id has the same features and outputs; the event
time is ignored, since a row that is sent twice often has two times.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from driftline.engine.catalogue import ColumnKind
from driftline.engine.columns import as_floats, coded
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.results import ID
from driftline.engine.spec import Spec

Hashes = npt.NDArray[np.uint64]
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True, eq=False)
class DistinctRows:
    """The number of a chunk's rows, and the 64-bit hashes of its distinct rows, ascending: 8 bytes for each.

    Two different rows among a million have the same hash with a chance of 3 in 100 million.
    """

    rows: int
    hashes: Hashes

    def merge(self, other: "DistinctRows") -> "DistinctRows":
        """Merge the distinct rows of two parts of a chunk."""
        return DistinctRows(self.rows + other.rows, np.union1d(self.hashes, other.hashes))


def summarize(frame: pd.DataFrame, spec: Spec) -> DistinctRows:
    """Hash some or all rows of a chunk: by id, or without one by the spec's features and outputs."""
    if ID not in frame.columns:
        return DistinctRows(len(frame), np.unique(_content_hashes(frame, spec)))
    hashes = _combined([_text_hashes(frame[ID])], len(frame))
    anonymous = frame[ID].isna().to_numpy()
    if anonymous.any():
        hashes[anonymous] = _content_hashes(frame[anonymous], spec)
    return DistinctRows(len(frame), np.unique(hashes))


def finish(summary: DistinctRows, spec: Spec) -> Outcome:
    """Return the share of rows, in [0, 1], that repeat another row; it is the effect too."""
    reason = too_few(summary.rows, spec.minimum_rows, "rows")
    if reason:
        return undefined(summary.rows, reason)
    share = (summary.rows - len(summary.hashes)) / summary.rows
    return Outcome(share, summary.rows, effect=share)


def _content_hashes(frame: pd.DataFrame, spec: Spec) -> Hashes:
    return _combined(_column_hashes(frame, spec), len(frame))


def _column_hashes(frame: pd.DataFrame, spec: Spec) -> Iterator[Hashes]:
    yield np.zeros(len(frame), dtype=np.uint64)  # no id: never the hash of a row that has one
    for column in (*spec.columns, *spec.output_columns):
        series = frame[column.name]
        yield _number_hashes(series) if column.kind is ColumnKind.CONTINUOUS else _text_hashes(series)


def _combined(parts: Iterator[Hashes] | list[Hashes], rows: int) -> Hashes:
    """Combine the hashes of several columns row by row; the order of the columns matters."""
    combined = np.full(rows, len("driftline"), dtype=np.uint64)
    for part in parts:
        combined = (combined ^ part) * _MULTIPLIER
        combined ^= combined >> np.uint64(29)
    return combined


def _number_hashes(series: "pd.Series[Any]") -> Hashes:
    raw = as_floats(series) + 0.0
    hashes: Hashes = pd.util.hash_array(np.where(np.isnan(raw), np.nan, raw))
    return hashes


def _text_hashes(series: "pd.Series[Any]") -> Hashes:
    """Hash values as text, so that 1 and "1" are the same; a missing value has the hash 1."""
    codes, texts = coded(series)
    hashes: Hashes = pd.util.hash_array(np.array(texts, dtype=object), categorize=False)
    return np.append(hashes, np.uint64(1))[codes]
