"""The churn model's features of a simulated world, as arrays of days by subscribers."""

import warnings
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from churn.columns import TRAILING_DAYS, TRAILING_STATISTICS, USAGE_OF_CDR, Cdr, Processed, prediction_id, trailing
from driftline.engine.results import EVENT_TIME, ID, LABEL
from flaskapp.world import World

Floats = npt.NDArray[np.float64]
CHANCE = "chance"
"""The true probability behind a row's label; it serves the truth only, and no tool receives it."""


def features(world: World, first: date, days: int) -> pd.DataFrame:
    """Return a row for each subscriber with records on `days` days from `first` on: features, label, time, id, chance.

    A day without a record is a day without usage; days before the world's start are unknown.
    """
    days_before = min(TRAILING_DAYS - 1, (first - world.parameters.start_date).days)
    dates = [first + timedelta(days=number) for number in range(-days_before, days)]
    people = np.sort(world.people.msisdn)
    records = [_recorded(world, day) for day in dates]
    labels = _cube(records, people, Cdr.PSEUDO_CHURNED, np.nan)
    columns: dict[str, Floats] = {}
    for name, source in USAGE_OF_CDR.items():
        columns |= _usage_features(str(name), _cube(records, people, source, 0.0))
    columns[str(Processed.DAYS_SEEN)] = np.nansum(_windows(np.isfinite(labels).astype(float)), axis=-1)
    columns |= {LABEL: labels, CHANCE: _cube([world.chances_of_day(day) for day in dates], people, CHANCE, np.nan)}
    has_label = np.isfinite(labels)
    has_label[:days_before] = False
    rows = pd.DataFrame({name: values[has_label] for name, values in columns.items()})
    return pd.concat([rows, _keys(dates, people, has_label)], axis=1)


def _recorded(world: World, day: date) -> pd.DataFrame:
    """Return a day's records with all their labels."""
    return world.records_of_day(day, labels_as_of=day + timedelta(days=world.parameters.label_delay))


def _cube(frames: Sequence[pd.DataFrame], people: "npt.NDArray[np.object_]", column: str, absent: float) -> Floats:
    """Arrange a column as days by subscribers; `absent` where there is no record, NaN where there is no value in it."""
    cube = np.full((len(frames), len(people)), absent)
    for day, frame in zip(cube, frames, strict=True):
        places = np.searchsorted(people, frame[Cdr.MSISDN].to_numpy())
        day[places] = frame[column].to_numpy(np.float64, na_value=np.nan)
    return cube


def _usage_features(name: str, usage: Floats) -> dict[str, Floats]:
    """Return a usage column and its trailing sum, mean and sample standard deviation; NaN where unknown."""
    windows = _windows(usage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # windows without a value
        mean, sd = np.nanmean(windows, axis=-1), np.nanstd(windows, axis=-1, ddof=1)
    total = np.where(np.isnan(mean), np.nan, np.nansum(windows, axis=-1))
    trailing_values = dict(zip(TRAILING_STATISTICS, (total, mean, sd), strict=True))
    return {name: usage, **{trailing(name, statistic): values for statistic, values in trailing_values.items()}}


def _windows(values: Floats) -> Floats:
    """Return the week that ends with each day, on a last axis."""
    padded = np.concatenate([np.full((TRAILING_DAYS - 1, values.shape[1]), np.nan), values])
    return np.lib.stride_tricks.sliding_window_view(padded, TRAILING_DAYS, axis=0)


def _keys(dates: Sequence[date], people: "npt.NDArray[np.object_]", selected: "npt.NDArray[np.bool_]") -> pd.DataFrame:
    day, person = np.nonzero(selected)
    times = pd.Series(pd.to_datetime(list(dates), utc=True).as_unit("us"))
    ids = [prediction_id(str(dates[int(d)]), str(who)) for d, who in zip(day, people[person], strict=True)]
    return pd.DataFrame({EVENT_TIME: times.iloc[day].reset_index(drop=True), ID: ids})
