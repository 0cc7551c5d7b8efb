"""A bounded, reproducible sample: the rows with the smallest draws, independent of their order. No I/O here.

A row's draw is a hash of its key, so the same rows are drawn every time (a bottom-k sample: Cohen and Kaplan,
"Summarizing data using bottom-k sketches", 2007).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from churn.columns import Cdr

DRAW = "draw"
KEY: tuple[Cdr, ...] = (Cdr.MSISDN, Cdr.RECORD_ID)
CAPACITY = 100_000


@dataclass(frozen=True)
class RowSample:
    """At most `capacity` rows of all that were offered, with their draws."""

    rows: pd.DataFrame
    offered: int
    capacity: int

    @property
    def is_complete(self) -> bool:
        """Whether the sample holds every offered row."""
        return len(self.rows) == self.offered


def draws(keys: pd.DataFrame) -> pd.Series:
    """Return each row's draw, an unsigned 64-bit number, from the text columns of its key (`KEY`)."""
    return pd.util.hash_pandas_object(keys.loc[:, list(KEY)], index=False, categorize=False).rename(DRAW)


def start(columns: tuple[str, ...], capacity: int = CAPACITY) -> RowSample:
    """Return an empty sample of these columns."""
    frame = pd.DataFrame({name: pd.Series(dtype="float64") for name in columns})
    return RowSample(frame.assign(**{DRAW: np.array([], dtype="uint64")}), 0, capacity)


def offered(sample: RowSample, rows: pd.DataFrame) -> RowSample:
    """Return the sample after offering it more rows, which have its columns and `DRAW`."""
    full = len(sample.rows) >= sample.capacity
    candidates = rows.loc[rows[DRAW] < sample.rows[DRAW].max()] if full else rows
    both = (
        pd.concat([sample.rows, candidates[sample.rows.columns]], ignore_index=True) if len(sample.rows) else candidates
    )
    smallest = both.nsmallest(sample.capacity, DRAW) if len(both) > sample.capacity else both
    return RowSample(smallest[sample.rows.columns].reset_index(drop=True), sample.offered + len(rows), sample.capacity)
