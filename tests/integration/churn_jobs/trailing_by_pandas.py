"""Prepared rows computed day by day with pandas, for comparison with the job's."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from churn.columns import FEATURES, TRAILING_DAYS, USAGE_OF_CDR, Cdr, Processed, trailing

Sums = dict[tuple[str, date], dict[Cdr, float]]
"""A subscriber's usage on each day with records, by column."""


def prepared(records: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Return Date, User, the features and the label of each subscriber-day with a record, ordered by both."""
    dated = records.assign(day=records[Cdr.DATE].dt.date)
    keys = {*zip(dated[Cdr.MSISDN], dated["day"], strict=True)}
    by_day = {key: dated[(dated[Cdr.MSISDN] == key[0]) & (dated["day"] == key[1])] for key in keys}
    sums = {key: {source: _sum(part[source]) for source in USAGE_OF_CDR.values()} for key, part in by_day.items()}
    rows = [_row(sums, user, day, by_day[user, day]) for user, day in sorted(by_day) if first <= day <= last]
    columns = [Processed.DATE, Processed.USER, *FEATURES, Processed.LABEL]
    return pd.DataFrame(rows)[list(map(str, columns))].sort_values(["Date", "User"], ignore_index=True)


def _sum(values: pd.Series) -> float:
    """Return NaN for a day whose values are all missing."""
    present = values.dropna()
    return float(present.sum()) if len(present) else np.nan


def _row(sums: Sums, user: str, day: date, today: pd.DataFrame) -> dict[str, object]:
    """Return the prepared row of a subscriber-day."""
    labels = today[Cdr.PSEUDO_CHURNED].dropna()
    row: dict[str, object] = {"Date": day, "User": user, "M_Tenure_Churn": labels.max() if len(labels) else np.nan}
    window = [(user, day - timedelta(days=n)) for n in range(TRAILING_DAYS)]
    row["Days_Seen_7d"] = sum(key in sums for key in window)
    for target, source in USAGE_OF_CDR.items():
        row[target] = sums[user, day][source]
        values = [sums[key][source] if key in sums else 0.0 for key in window]
        present = [value for value in values if not np.isnan(value)]
        row[trailing(target, "sum")] = sum(present) if present else np.nan
        row[trailing(target, "mean")] = np.mean(present) if present else np.nan
        row[trailing(target, "std")] = np.std(present, ddof=1) if len(present) > 1 else np.nan
    return row
