"""The features of a trading day in pandas, for training; `spark_features` computes the same in Spark. No I/O here."""

import numpy as np
import pandas as pd

from examples.dse.trading_calendar import TradingCalendar

SHORT, LONG, MOMENTUM = 5, 20, 5
FEATURES = ("to_sma_5", "to_sma_20", "momentum_5", "volume_to_sma_20")
LABEL = "up"


def add_features(days: pd.DataFrame, calendar: TradingCalendar) -> pd.DataFrame:
    """Return the days that have all features, oldest first, with these and the label of those whose next day is known.

    The next day is that of the calendar: across a gap the label is unknown, as it is in the stream. A window counts
    trading days, so weekends and holidays are not in it. Ratios make the features comparable between years: the close
    to its mean of 5 and of 20 days, to the close of 5 days before, and the volume to its mean of 20.
    """
    days = days.sort_values("date", ignore_index=True)
    close, volume = days["close"], days["volume"]
    following = close.shift(-1).where(_is_followed(days["date"], calendar))
    return days.assign(
        to_sma_5=close / close.rolling(SHORT).mean() - 1,
        to_sma_20=close / close.rolling(LONG).mean() - 1,
        momentum_5=close / close.shift(MOMENTUM) - 1,
        volume_to_sma_20=volume / volume.rolling(LONG).mean().replace(0.0, np.nan) - 1,
        up=(following > close).astype(float).where(following.notna()),
    ).dropna(subset=["to_sma_20"], ignore_index=True)


def _is_followed(dates: pd.Series, calendar: TradingCalendar) -> pd.Series:
    """Return for each day whether the row after it is the next trading day."""
    return dates.shift(-1) == pd.to_datetime(dates.map(lambda day: calendar.next_trading_day(day.date())))
