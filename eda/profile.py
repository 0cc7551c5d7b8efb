"""Everything learnt from the rows in one pass, chunk by chunk, in bounded memory. No I/O here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from churn.columns import CDR_USAGE, Cdr
from eda import sample
from eda.histogram import EMPTY, Histogram, histogram
from eda.moments import Moments, moments, typical
from eda.quantities import VARIABLES
from eda.sample import Sample

DAY_NUMBER = "day_number"
"""A record's UTC day as `date.toordinal` counts."""


class Group(StrEnum):
    """Records by what is known of their PSEUDO_CHURNED."""

    STAYED = "0"
    CHURNED = "1"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Profile:
    """Histograms per usage column and group, moments of `VARIABLES`, and a sample of rows."""

    histograms: Mapping[tuple[Cdr, Group], Histogram]
    moments: Moments
    sample: Sample

    def of(self, column: Cdr) -> Histogram:
        """Return a column's histogram over all groups."""
        stayed, churned, unknown = (self.histograms[column, group] for group in Group)
        return stayed + churned + unknown


def start(capacity: int = sample.CAPACITY) -> Profile:
    """Return the profile of no rows."""
    nothing = np.zeros((0, len(VARIABLES)))
    return Profile(
        {(column, group): EMPTY for column in CDR_USAGE for group in Group},
        moments(nothing, np.zeros(len(VARIABLES))),
        sample.start(tuple(map(str, VARIABLES)), capacity),
    )


def profile(chunks: Iterable[pd.DataFrame], settled: pd.DatetimeIndex, capacity: int = sample.CAPACITY) -> Profile:
    """Profile records that come in chunks.

    A chunk has `VARIABLES` as float64 (NaN is NULL), `DAY_NUMBER` and `sample.DRAW`. A label counts only on a day of
    `settled`: on the others those who churn are known first, and would be too many.
    """
    days = np.array([day.toordinal() for day in settled], dtype=np.int64)
    known = start(capacity)
    for chunk in chunks:
        known = _with(known, _settled_only(chunk, days))
    return known


def _with(known: Profile, chunk: pd.DataFrame) -> Profile:
    values = chunk.loc[:, list(VARIABLES)].to_numpy(dtype=np.float64)
    first = not known.sample.offered
    shift = typical(values) if first else known.moments.shift
    summed = moments(values, shift)
    return Profile(
        {key: held + _counted(chunk, *key) for key, held in known.histograms.items()},
        summed if first else known.moments + summed,
        sample.offered(known.sample, chunk),
    )


def _counted(chunk: pd.DataFrame, column: Cdr, group: Group) -> Histogram:
    label = chunk[Cdr.PSEUDO_CHURNED]
    chosen = label.isna() if group is Group.UNKNOWN else label == int(group)
    return histogram(chunk.loc[chosen, column].to_numpy())


def _settled_only(chunk: pd.DataFrame, days: np.ndarray) -> pd.DataFrame:
    label = chunk[Cdr.PSEUDO_CHURNED].where(np.isin(chunk[DAY_NUMBER], days))
    return chunk.assign(**{Cdr.PSEUDO_CHURNED: label})
