"""A simulated index, not of a real exchange: returns with momentum, and another regime later. No I/O here."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from examples.dse.trading_calendar import TradingCalendar


@dataclass(frozen=True)
class Regime:
    """How daily returns come about: how much of a return the next one repeats, and the spread of the rest."""

    momentum: float
    spread: float


CALM = Regime(momentum=0.35, spread=0.008)
TURBULENT = Regime(momentum=-0.35, spread=0.020)
"""Returns are larger, and reverse instead of repeating: what was learned before misleads."""
START, DRIFT_PER_DAY, VOLUME = 4_000.0, 0.0002, 2e8


def simulate_index(
    first: date, last: date, *, turbulent_from: date | None, seed: int, calendar: TradingCalendar | None = None
) -> pd.DataFrame:
    """Return the trading days of a period with `date`, `open`, `high`, `low`, `close` and `volume`."""
    days = [*(calendar or TradingCalendar()).trading_days(first, last)]
    rng = np.random.default_rng(seed)
    shocks, volumes = rng.normal(size=len(days)), rng.lognormal(0, 0.25, len(days))
    returns = np.zeros(len(days))
    for number in range(1, len(days)):
        regime = TURBULENT if turbulent_from is not None and days[number] >= turbulent_from else CALM
        returns[number] = regime.momentum * returns[number - 1] + regime.spread * shocks[number] + DRIFT_PER_DAY
    close = START * np.exp(np.cumsum(returns))
    opening = np.concatenate([[START], close[:-1]])
    spread = np.abs(rng.normal(0, 0.002, (2, len(days))))
    return pd.DataFrame(
        {
            "date": pd.to_datetime(days),
            "open": opening.round(2),
            "high": (np.maximum(opening, close) * (1 + spread[0])).round(2),
            "low": (np.minimum(opening, close) * (1 - spread[1])).round(2),
            "close": close.round(2),
            "volume": (VOLUME * volumes * (1 + 20 * np.abs(returns))).round(),
        }
    )
