"""The share of a chunk's rows that repeat another row. Merges exactly. No I/O here.

A row with an id is a duplicate if an earlier row of the chunk has that id. A row without an id (a missing value, or a
frame without that column) is a duplicate if an earlier row without an id has the same features and outputs; the event
time is ignored, since a row that is sent twice often has two times.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from driftline.engine.catalogue import ColumnKind
from driftline.engine.outcome import Outcome, too_few, undefined
from driftline.engine.results import ID
from driftline.engine.spec import Spec
from driftline.engine.sums.row_hashes import Hashes, combine_hashes, number_hashes, text_hashes


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
    hashes = combine_hashes([text_hashes(frame[ID])], len(frame))
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
    return combine_hashes(_column_hashes(frame, spec), len(frame))


def _column_hashes(frame: pd.DataFrame, spec: Spec) -> Iterator[Hashes]:
    yield np.zeros(len(frame), dtype=np.uint64)  # no id: never the hash of a row that has one
    for column in (*spec.columns, *spec.output_columns):
        series = frame[column.name]
        yield number_hashes(series) if column.kind is ColumnKind.CONTINUOUS else text_hashes(series)
