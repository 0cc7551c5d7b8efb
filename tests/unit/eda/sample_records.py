"""Records in the format of the database, drawn with a seed."""

from datetime import date

import numpy as np
import pandas as pd

from churn.columns import CDR_USAGE, Cdr
from eda.quantities import VARIABLES
from eda.span import DaySpan
from eda.statistics import days
from eda.statistics.days import DAY, DayCount, missing_name, total_name
from eda.statistics.exploration import Exploration
from eda.statistics.profile import DAY_NUMBER, profile
from eda.statistics.sample import DRAW, draws

FIRST = date(2026, 1, 1)
SUBSCRIBERS = 200


def records(number_of_days: int = 28, seed: int = 7) -> pd.DataFrame:
    """Usage that grows with churn, one record per subscriber and day; the labels of the last three days are NULL."""
    rng = np.random.default_rng(seed)
    day, person = (part.ravel() for part in np.mgrid[0:number_of_days, 0:SUBSCRIBERS])
    churned = (rng.random(day.size) < 0.2).astype(np.float64)
    frame = pd.DataFrame({DAY_NUMBER: FIRST.toordinal() + day, Cdr.MSISDN: person.astype(str)})
    for place, column in enumerate(CDR_USAGE):
        scale = 1e6 if column is Cdr.DATA_VOLUME else 10.0 * (place + 1)
        frame[column] = np.floor(rng.lognormal(0.4 * churned, 1.1) * scale)
    frame[Cdr.PSEUDO_CHURNED] = np.where(day >= number_of_days - 3, np.nan, churned)
    frame[Cdr.RECORD_ID] = [f"test:{number}" for number in range(len(frame))]
    frame[DRAW] = draws(frame)
    return frame


def day_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Aggregate records by day, as `eda.records.day_rows` does in the database."""
    rows = []
    for number, day in frame.groupby(DAY_NUMBER):
        label = day[Cdr.PSEUDO_CHURNED]
        rows.append(
            {
                DAY: date.fromordinal(int(str(number))),
                DayCount.RECORDS: len(day),
                DayCount.SUBSCRIBERS: day[Cdr.MSISDN].nunique(),
                DayCount.LABELLED: day.loc[label.notna(), Cdr.MSISDN].nunique(),
                DayCount.CHURNED: day.loc[label == 1, Cdr.MSISDN].nunique(),
                **{total_name(column): day[column].sum(min_count=1) for column in CDR_USAGE},
                **{missing_name(column): day[column].isna().sum() for column in VARIABLES},
            }
        )
    return pd.DataFrame(rows)


def explored(frame: pd.DataFrame, number_of_days: int = 28, capacity: int = 100_000) -> Exploration:
    """Explore records without a database."""
    span = DaySpan(FIRST, date.fromordinal(FIRST.toordinal() + number_of_days - 1))
    by_day = days.from_rows(day_rows(frame), span)
    profiled = profile([frame.iloc[n : n + 997] for n in range(0, len(frame), 997)], by_day.settled_days, capacity)
    return Exploration("all days", span, span, SUBSCRIBERS, by_day, profiled)
