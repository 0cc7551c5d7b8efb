"""Statistics computed from the rows in one pass over chunks, in bounded memory. No I/O here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from churn.columns import CDR_USAGE, Cdr
from eda.quantities import VARIABLES
from eda.statistics import sample
from eda.statistics.histogram import EMPTY, UsageHistogram, histogram
from eda.statistics.moments import Moments, moments, typical
from eda.statistics.sample import RowSample

DAY_NUMBER = "day_number"
"""A record's UTC day as a number of `date.toordinal`."""


class Group(StrEnum):
    """Groups of records by PSEUDO_CHURNED."""

    STAYED = "0"
    CHURNED = "1"
    UNKNOWN = "not known"


@dataclass(frozen=True)
class Profile:
    """Histograms per usage column and group, moments of `VARIABLES`, and a sample of rows."""

    histograms: Mapping[tuple[Cdr, Group], UsageHistogram]
    moments: Moments
    sample: RowSample

    def of(self, column: Cdr) -> UsageHistogram:
        """Return a column's histogram over all groups."""
        stayed, churned, unknown = (self.histograms[column, group] for group in Group)
        return stayed + churned + unknown


def start(capacity: int = sample.CAPACITY) -> Profile:
    """Return the profile of no rows."""
    no_rows = np.zeros((0, len(VARIABLES)))
    return Profile(
        {(column, group): EMPTY for column in CDR_USAGE for group in Group},
        moments(no_rows, np.zeros(len(VARIABLES))),
        sample.start(tuple(map(str, VARIABLES)), capacity),
    )


def profile(chunks: Iterable[pd.DataFrame], settled: pd.DatetimeIndex, capacity: int = sample.CAPACITY) -> Profile:
    """Return the profile of records that arrive in chunks.

    A chunk has `VARIABLES` as float64 (NaN is NULL), `DAY_NUMBER` and `sample.DRAW`. Labels are used only on the days
    of `settled`: on other days churners are labelled first and would be overrepresented.
    """
    days = np.array([day.toordinal() for day in settled], dtype=np.int64)
    profiled = start(capacity)
    for chunk in chunks:
        profiled = _with(profiled, _settled_only(chunk, days))
    return profiled


def _with(profiled: Profile, chunk: pd.DataFrame) -> Profile:
    """Return the profile extended by a chunk; the first chunk sets the shift of the moments."""
    values = chunk.loc[:, list(VARIABLES)].to_numpy(dtype=np.float64)
    first = not profiled.sample.offered
    shift = typical(values) if first else profiled.moments.shift
    summed = moments(values, shift)
    return Profile(
        {key: counts + _counted(chunk, *key) for key, counts in profiled.histograms.items()},
        summed if first else profiled.moments + summed,
        sample.offered(profiled.sample, chunk),
    )


def _counted(chunk: pd.DataFrame, column: Cdr, group: Group) -> UsageHistogram:
    label = chunk[Cdr.PSEUDO_CHURNED]
    in_group = label.isna() if group is Group.UNKNOWN else label == int(group)
    return histogram(chunk.loc[in_group, column].to_numpy())


def _settled_only(chunk: pd.DataFrame, days: np.ndarray) -> pd.DataFrame:
    label = chunk[Cdr.PSEUDO_CHURNED].where(np.isin(chunk[DAY_NUMBER], days))
    return chunk.assign(**{Cdr.PSEUDO_CHURNED: label})
