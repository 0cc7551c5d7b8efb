"""Simulated voyages of real passengers: one sails each day, and emigrants may come to fill it. No I/O here."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

FIRST_DAY = date(2012, 4, 10)
EMIGRANTS_WEIGHT = 3.0
"""How many times as often a passenger of the third class sails on a voyage with emigrants."""


@dataclass(frozen=True)
class VoyagePlan:
    """Voyages to simulate: those of the reference, then others, the last of which carry emigrants.

    Attributes:
        reference: voyages of the reference.
        sailing: voyages after it, one a day.
        emigrants_from: the number of the first voyage after the reference (from 0) with emigrants; None: there is none.
        passengers: passengers of each voyage.
        seed: of all draws.
    """

    reference: int = 20
    sailing: int = 30
    emigrants_from: int | None = 15
    passengers: int = 600
    seed: int = 1912

    @property
    def days(self) -> pd.DatetimeIndex:
        """The noons, in UTC, at which the voyages sail."""
        return pd.date_range(f"{FIRST_DAY}T12:00", periods=self.reference + self.sailing, freq="D", tz="UTC")

    @property
    def reference_until(self) -> pd.Timestamp:
        """The start of the day of the first voyage after the reference."""
        return self.days[self.reference].normalize()


def draw_voyages(passengers: pd.DataFrame, plan: VoyagePlan) -> pd.DataFrame:
    """Return the passengers of all voyages, drawn from the real ones with replacement, with `id` and `departure`.

    The same plan draws the same voyages. On voyages with emigrants, `EMIGRANTS_WEIGHT` favors the third class; who
    survives is not changed by it.
    """
    rng = np.random.default_rng(plan.seed)
    voyages = [
        _voyage(passengers, rng, plan.passengers, with_emigrants=_has_emigrants(plan, number)).assign(
            departure=day, id=[f"{day:%Y-%m-%d}-{seat}" for seat in range(plan.passengers)]
        )
        for number, day in enumerate(plan.days)
    ]
    return pd.concat(voyages, ignore_index=True)


def _has_emigrants(plan: VoyagePlan, number: int) -> bool:
    return plan.emigrants_from is not None and number >= plan.reference + plan.emigrants_from


def _voyage(passengers: pd.DataFrame, rng: np.random.Generator, size: int, *, with_emigrants: bool) -> pd.DataFrame:
    weight = np.where(passengers["passenger_class"].eq("3rd") & with_emigrants, EMIGRANTS_WEIGHT, 1.0)
    return passengers.iloc[rng.choice(len(passengers), size, p=weight / weight.sum())]
