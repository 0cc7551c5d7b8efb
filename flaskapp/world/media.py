"""The media of the network (calls, SMS, data), their columns and weekly rhythm. No I/O here."""

from dataclasses import dataclass
from enum import Enum

from churn.columns import Cdr

WEEK_OF_CALLS = (1.08, 1.06, 1.06, 1.08, 1.14, 0.88, 0.70)
"""Calls and SMS from Monday to Sunday, as a share of an average day: invented, because the data has no days."""
WEEK_OF_DATA = (0.94, 0.94, 0.96, 0.98, 1.04, 1.10, 1.04)


@dataclass(frozen=True)
class Traits:
    """The traits of a medium; spreads are standard deviations of the logarithm.

    `rate_spell` and `size_spell` wander over weeks, `size_noise` varies from one call or session to the next.
    """

    number: int
    count: Cdr
    amount: Cdr | None
    week: tuple[float, ...]
    rate_spell: float
    size_spell: float = 0.0
    size_noise: float = 0.0


class Medium(Enum):
    """A medium: how many events a day, and, save for SMS, how much they amount to (seconds or bytes)."""

    OUT_CALLS = Traits(0, Cdr.MOC_COUNT, Cdr.MOC_DURATION, WEEK_OF_CALLS, 0.25, 0.45, 0.6)
    IN_CALLS = Traits(1, Cdr.MTC_COUNT, Cdr.MTC_DURATION, WEEK_OF_CALLS, 0.25, 0.2, 0.6)
    OUT_SMS = Traits(2, Cdr.MOSMS_COUNT, None, WEEK_OF_CALLS, 0.4)
    IN_SMS = Traits(3, Cdr.MTSMS_COUNT, None, WEEK_OF_CALLS, 0.4)
    DATA = Traits(4, Cdr.DATA_COUNT, Cdr.DATA_VOLUME, WEEK_OF_DATA, 0.3, 0.4, 1.0)
