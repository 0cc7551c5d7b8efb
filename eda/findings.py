"""What stands out, in sentences. No I/O here."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from churn.columns import CDR_USAGE, Cdr
from eda.days import SETTLED_SHARE, Count
from eda.exploration import Exploration
from eda.quantities import QUANTITIES, label
from eda.wording import amount, percent, share, signed

NOTABLE_FACTOR = 1.5
"""A day stands out when its mean per record is this many times what is usual, or less than its inverse."""
FEWEST_WEEKS = 3
"""What is usual is the median of the same weekday, if there are so many of it."""


@dataclass(frozen=True)
class Finding:
    """A heading of a word or two, and a sentence."""

    heading: str
    sentence: str


def findings(found: Exploration) -> tuple[Finding, ...]:
    """Return what stands out, most telling first."""
    return tuple(
        finding
        for part in (_churn, _strongest, _departures, _missing, _empty_days, _unsettled, _negative)
        for finding in part(found)
    )


def _churn(found: Exploration) -> Iterator[Finding]:
    rate = found.days.overall_churn_rate()
    if rate is None:
        reason = f"no day has the labels of {percent(SETTLED_SHARE)} of its subscribers yet"
        yield Finding("Churn", f"The churn rate is not known: {reason}. Labels are not used below.")
        return
    known = found.days.counts.loc[found.days.settled, Count.LABELLED].sum()
    yield Finding("Churn", f"PSEUDO_CHURNED is 1 in {share(rate)} of {known:,} labelled subscriber-days.")


def _strongest(found: Exploration) -> Iterator[Finding]:
    pairs = [(abs(pair.value), pair) for pair in (item.spearman for item in found.columns) if pair.value is not None]
    if not pairs:
        return
    _, pair = max(pairs, key=lambda item: item[0])
    summary = next(item for item in found.columns if item.column is pair.left)
    unit = QUANTITIES[pair.left].unit
    yield Finding(
        "Strongest relation",
        f"{label(pair.left)} has the strongest rank correlation with PSEUDO_CHURNED, {signed(pair.value)}: its median "
        f"is {amount(summary.median_churned, unit)} a record where it is 1 and "
        f"{amount(summary.median_stayed, unit)} where it is 0.",
    )


def _departures(found: Exploration) -> Iterator[Finding]:
    for column in CDR_USAGE:
        means = found.days.means[column]
        usual = _usual(means)
        with np.errstate(divide="ignore"):
            far = np.abs(np.log((means / usual).where(usual > 0))) > np.log(NOTABLE_FACTOR)
        if far.any():
            yield _departure(column, means[far], usual[far])


def _usual(means: pd.Series) -> pd.Series:
    """Return for each day the median of its weekday, or of all days where a weekday has too few."""
    weekday = pd.DatetimeIndex(means.index).dayofweek
    enough = means.groupby(weekday).transform("count") >= FEWEST_WEEKS
    return means.groupby(weekday).transform("median").where(enough, means.dropna().median())


def _departure(column: Cdr, means: pd.Series, usual: pd.Series) -> Finding:
    unit, first = QUANTITIES[column].unit, pd.DatetimeIndex(means.index)[0]
    more = f", the first of {len(means)} such days" if len(means) > 1 else ""
    return Finding(
        "Unlike the rest",
        f"{label(column)}: a mean of {amount(float(means.iloc[0]), unit)} a record on {first:%Y-%m-%d}{more}; "
        f"usual for its weekday is {amount(float(usual.iloc[0]), unit)}.",
    )


def _missing(found: Exploration) -> Iterator[Finding]:
    missing = {column: found.missing_share(column) for column in CDR_USAGE if found.missing_share(column) > 0}
    if not missing:
        yield Finding("Missing values", "No usage value is missing.")
    for column, part in sorted(missing.items(), key=lambda item: -item[1]):
        days = found.days.missing.index[found.days.missing[column] > 0]
        where = f"{days[0]:%Y-%m-%d}" + (f" to {days[-1]:%Y-%m-%d}" if len(days) > 1 else "")
        yield Finding(
            "Missing values", f"{label(column)} is missing in {share(part)} of records, on {len(days)} days ({where})."
        )


def _empty_days(found: Exploration) -> Iterator[Finding]:
    empty = found.days.empty_days
    if len(empty):
        some = ", ".join(f"{day:%Y-%m-%d}" for day in empty[:5]) + (" and others" if len(empty) > 5 else "")
        yield Finding("Days without records", f"{len(empty)} of {found.span.days} days have no record: {some}.")


def _unsettled(found: Exploration) -> Iterator[Finding]:
    waiting = found.days.counts.index[~found.days.settled & (found.days.counts[Count.RECORDS] > 0)]
    if len(waiting) and found.days.settled.any():
        yield Finding(
            "Labels to come",
            f"{len(waiting)} days, from {waiting[0]:%Y-%m-%d} on, lack more than {percent(1 - SETTLED_SHARE)} of their "
            "labels. Churners are known first, so these days are left out of all that is split by or set against "
            "PSEUDO_CHURNED.",
        )


def _negative(found: Exploration) -> Iterator[Finding]:
    for summary in found.columns:
        if summary.minimum is not None and summary.minimum < 0:
            least = amount(summary.minimum, QUANTITIES[summary.column].unit)
            yield Finding("Impossible values", f"{label(summary.column)} goes down to {least}: correct the source.")
