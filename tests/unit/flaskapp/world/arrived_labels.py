"""The labels of one day's records, put together from the days on which they become known."""

from datetime import date, timedelta

import pandas as pd

from churn.columns import Cdr
from flaskapp.world import NUMBER, World


def arrived_labels(world: World, day: date, as_of: date) -> pd.DataFrame:
    """Return the labels of a day's records that are known by the end of the day `as_of`, in the records' order."""
    days = [day + timedelta(days=number) for number in range((as_of - day).days + 1)]
    labels = pd.concat([world.labels_known_on(known, since=day) for known in days], ignore_index=True)
    of_day: pd.DataFrame = labels[labels[Cdr.DATE].dt.date == day]
    return of_day.sort_values(NUMBER, ignore_index=True)
