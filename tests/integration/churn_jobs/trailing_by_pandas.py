"""Prepared rows computed once more, day by day with pandas: what the job is held against."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from driftline.columns import FEATURES, TRAILING_DAYS, USAGE_OF_CDR, Cdr, Processed, trailing


def prepared(records: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Give Date, User, the features and the label of each subscriber-day with a record, ordered by both."""
    dated = records.assign(day=records[Cdr.DATE].dt.date)
    rows = [
        _row(own, user, day)
        for user, own in dated.groupby(Cdr.MSISDN)
        for day in sorted(set(own["day"]))
        if first <= day <= last
    ]
    columns = [Processed.DATE, Processed.USER, *FEATURES, Processed.LABEL]
    return pd.DataFrame(rows)[list(map(str, columns))].sort_values(["Date", "User"], ignore_index=True)


def _row(own: pd.DataFrame, user: object, day: date) -> dict[str, object]:
    today = own[own["day"] == day]
    labels = today[Cdr.PSEUDO_CHURNED].dropna()
    row: dict[str, object] = {"Date": day, "User": user, "M_Tenure_Churn": labels.max() if len(labels) else np.nan}
    window = [day - timedelta(days=n) for n in range(TRAILING_DAYS)]
    row["Days_Seen_7d"] = sum(bool((own["day"] == other).any()) for other in window)
    for target, source in USAGE_OF_CDR.items():
        row[target] = _day_value(own, source, day)
        values = [_day_value(own, source, other) for other in window]
        known = [value for value in values if not np.isnan(value)]
        row[trailing(target, "sum")] = sum(known) if known else np.nan
        row[trailing(target, "mean")] = np.mean(known) if known else np.nan
        row[trailing(target, "std")] = np.std(known, ddof=1) if len(known) > 1 else np.nan
    return row


def _day_value(own: pd.DataFrame, source: str, day: date) -> float:
    """Give 0 for a day without a record, NaN for one whose values are all missing."""
    values = own.loc[own["day"] == day, source]
    if values.empty:
        return 0.0
    return float(values.dropna().sum()) if values.notna().any() else np.nan
