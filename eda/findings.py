"""The notable observations, as sentences. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from churn.columns import CDR_USAGE, Cdr
from eda.quantities import QUANTITIES, label
from eda.statistics.days import SETTLED_SHARE, DayCount
from eda.statistics.exploration import Exploration
from eda.wording import amount, percent, share, signed

NOTABLE_FACTOR = 1.5
"""A day is notable when its mean per record exceeds the usual one by this factor, or is below it by this factor."""
FEWEST_WEEKS = 3
"""The usual value is the median of the same weekday, if the range has this many of it."""


@dataclass(frozen=True)
class Observation:
    """A notable observation: a short heading and a sentence."""

    heading: str
    sentence: str


def findings(exploration: Exploration) -> tuple[Observation, ...]:
    """Return the notable observations, most important first."""
    return tuple(
        finding
        for part in (_churn, _strongest, _departures, _missing, _empty_days, _unsettled, _negative)
        for finding in part(exploration)
    )


def _churn(exploration: Exploration) -> Iterator[Observation]:
    rate = exploration.days.overall_churn_rate()
    if rate is None:
        reason = f"no day has the labels of {percent(SETTLED_SHARE)} of its subscribers yet"
        yield Observation("Churn", f"The churn rate is not known: {reason}. Labels are not used below.")
        return
    labelled = exploration.days.counts.loc[exploration.days.settled, DayCount.LABELLED].sum()
    yield Observation("Churn", f"PSEUDO_CHURNED is 1 in {share(rate)} of {labelled:,} labelled subscriber-days.")


def _strongest(exploration: Exploration) -> Iterator[Observation]:
    """Yield the usage column with the strongest rank correlation with the label, if one is defined."""
    pairs = [
        (abs(pair.value), pair) for pair in (item.spearman for item in exploration.columns) if pair.value is not None
    ]
    if not pairs:
        return
    _, pair = max(pairs, key=lambda item: item[0])
    summary = next(item for item in exploration.columns if item.column is pair.left)
    unit = QUANTITIES[pair.left].unit
    yield Observation(
        "Strongest relation",
        f"{label(pair.left)} has the strongest rank correlation with PSEUDO_CHURNED, {signed(pair.value)}: its median "
        f"is {amount(summary.median_churned, unit)} a record where it is 1 and "
        f"{amount(summary.median_stayed, unit)} where it is 0.",
    )


def _departures(exploration: Exploration) -> Iterator[Observation]:
    for column in CDR_USAGE:
        means = exploration.days.means[column]
        usual = _usual(means)
        with np.errstate(divide="ignore"):
            far = np.abs(np.log((means / usual).where(usual > 0))) > np.log(NOTABLE_FACTOR)
        if far.any():
            yield _departure(column, means[far], usual[far])


def _usual(means: pd.Series) -> pd.Series:
    """Return the median of each day's weekday, or of all days where the weekday is too rare."""
    weekday = pd.DatetimeIndex(means.index).dayofweek
    enough = means.groupby(weekday).transform("count") >= FEWEST_WEEKS
    return means.groupby(weekday).transform("median").where(enough, means.dropna().median())


def _departure(column: Cdr, means: pd.Series, usual: pd.Series) -> Observation:
    unit, first = QUANTITIES[column].unit, pd.DatetimeIndex(means.index)[0]
    more = f", the first of {len(means)} such days" if len(means) > 1 else ""
    return Observation(
        "Unlike the rest",
        f"{label(column)}: a mean of {amount(float(means.iloc[0]), unit)} a record on {first:%Y-%m-%d}{more}; "
        f"usual for its weekday is {amount(float(usual.iloc[0]), unit)}.",
    )


def _missing(exploration: Exploration) -> Iterator[Observation]:
    """Yield the usage columns with missing values, the largest share first."""
    missing = {
        column: exploration.missing_share(column) for column in CDR_USAGE if exploration.missing_share(column) > 0
    }
    if not missing:
        yield Observation("Missing values", "No usage value is missing.")
    for column, part in sorted(missing.items(), key=lambda item: -item[1]):
        days = exploration.days.missing.index[exploration.days.missing[column] > 0]
        where = f"{days[0]:%Y-%m-%d}" + (f" to {days[-1]:%Y-%m-%d}" if len(days) > 1 else "")
        yield Observation(
            "Missing values", f"{label(column)} is missing in {share(part)} of records, on {len(days)} days ({where})."
        )


def _empty_days(exploration: Exploration) -> Iterator[Observation]:
    empty = exploration.days.empty_days
    if len(empty):
        listed = ", ".join(f"{day:%Y-%m-%d}" for day in empty[:5]) + (" and others" if len(empty) > 5 else "")
        yield Observation(
            "Days without records", f"{len(empty)} of {exploration.span.days} days have no record: {listed}."
        )


def _unsettled(exploration: Exploration) -> Iterator[Observation]:
    waiting = exploration.days.counts.index[~exploration.days.settled & (exploration.days.counts[DayCount.RECORDS] > 0)]
    if len(waiting) and exploration.days.settled.any():
        yield Observation(
            "Labels to come",
            f"{len(waiting)} days, from {waiting[0]:%Y-%m-%d} on, lack more than {percent(1 - SETTLED_SHARE)} of their "
            "labels. Churners are known first, so these days are left out of all that is split by or set against "
            "PSEUDO_CHURNED.",
        )


def _negative(exploration: Exploration) -> Iterator[Observation]:
    for summary in exploration.columns:
        if summary.minimum is not None and summary.minimum < 0:
            least = amount(summary.minimum, QUANTITIES[summary.column].unit)
            yield Observation("Impossible values", f"{label(summary.column)} goes down to {least}: correct the source.")
