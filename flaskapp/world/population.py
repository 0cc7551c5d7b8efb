"""The subscribers, with everything about them that does not change from day to day. No I/O here."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from flaskapp.world.calibration import Customers, Floats, curve, customers
from flaskapp.world.draws import Purpose, generator
from flaskapp.world.media import Medium

Ints = npt.NDArray[np.int64]

NUMBER_SPACE = 10**9
COUNTRY_CODE = "999"
"""A calling code that no country uses, so a simulated number reaches nobody."""

HEAVIEST_SHARE = 0.2
SILENCE = (1.0, 19.0)
"""Beta distribution of the share of days on which a subscriber's phone is off: 5 % on average."""
OUT_SMS_MEDIAN, IN_SMS_MEDIAN, SMS_SPREAD = 0.6, 0.9, 1.1
DATA_SHARE = 0.8
SESSIONS_MEDIAN, SESSIONS_SPREAD = 4.0, 0.7
SESSION_BYTES_MEDIAN, SESSION_BYTES_SPREAD = 6_000_000.0, 0.8


@dataclass(frozen=True)
class Habits:
    """Expected usage of one medium, per subscriber: events a day (`rate`) and the size of one (`mean`)."""

    rate: Floats
    mean: Floats


@dataclass(frozen=True, eq=False)
class Population:
    """A number of people, each with habits per medium: one value per subscriber in each array.

    `heavy` are the habits of the heavy caller who takes a subscriber's place under a mix drift; those with the lowest
    `heavy_order` (0 to 1) go first. `silence` is the share of days without usage, `plan_logit` what the customer's plan
    and complaints add to the logit of churn: no usage shows it.
    """

    seed: int
    subscribers: int
    msisdn: npt.NDArray[np.object_]
    habits: Mapping[Medium, Habits]
    heavy: Mapping[Medium, Habits]
    heavy_order: Floats
    silence: Floats
    plan_logit: Floats


@lru_cache(maxsize=4)
def populate(seed: int, subscribers: int) -> Population:
    """Draw that many people from the customers of mlc_churn, with replacement; the same seed gives the same people.

    Calls are those of the customer. SMS and data are invented: log-normal rates and sizes, a fifth without data.
    """
    table = customers()
    drawn = generator(seed, Purpose.CUSTOMER).integers(len(table.churned), size=subscribers)
    heavy = generator(seed, Purpose.HEAVY_CUSTOMER).choice(_heaviest(table), size=subscribers)
    return Population(
        seed=seed,
        subscribers=subscribers,
        msisdn=_numbers(generator(seed, Purpose.NUMBER), subscribers),
        habits=_calls(table, drawn) | _sms(seed, subscribers) | _data(seed, subscribers),
        heavy=_calls(table, heavy),
        heavy_order=generator(seed, Purpose.HEAVY_ORDER).random(subscribers),
        silence=generator(seed, Purpose.SILENCE).beta(*SILENCE, size=subscribers),
        plan_logit=curve().plan_logit(table.plan[drawn]),
    )


def _calls(table: Customers, drawn: Ints) -> dict[Medium, Habits]:
    return {
        Medium.OUT_CALLS: _rate_per_event(table.out_calls[drawn], table.out_seconds[drawn]),
        Medium.IN_CALLS: _rate_per_event(table.in_calls[drawn], table.in_seconds[drawn]),
    }


def _rate_per_event(rate: Floats, total: Floats) -> Habits:
    return Habits(rate, np.divide(total, rate, out=np.zeros_like(rate), where=rate > 0))


def _heaviest(table: Customers) -> Ints:
    total = table.out_seconds + table.in_seconds
    return np.flatnonzero(total >= np.quantile(total, 1.0 - HEAVIEST_SHARE))


def _sms(seed: int, subscribers: int) -> dict[Medium, Habits]:
    draw, unit = generator(seed, Purpose.SMS), np.ones(subscribers)
    return {
        Medium.OUT_SMS: Habits(_skewed(draw, OUT_SMS_MEDIAN, SMS_SPREAD, subscribers), unit),
        Medium.IN_SMS: Habits(_skewed(draw, IN_SMS_MEDIAN, SMS_SPREAD, subscribers), unit),
    }


def _data(seed: int, subscribers: int) -> dict[Medium, Habits]:
    draw = generator(seed, Purpose.DATA)
    sessions = _skewed(draw, SESSIONS_MEDIAN, SESSIONS_SPREAD, subscribers)
    size = _skewed(draw, SESSION_BYTES_MEDIAN, SESSION_BYTES_SPREAD, subscribers)
    return {Medium.DATA: Habits(sessions * (draw.random(subscribers) < DATA_SHARE), size)}


def _skewed(draw: np.random.Generator, median: float, spread: float, count: int) -> Floats:
    return median * np.exp(spread * draw.standard_normal(count))


def _numbers(draw: np.random.Generator, count: int) -> npt.NDArray[np.object_]:
    """Return distinct numbers of twelve digits: steps of a length prime to the space visit each number once."""
    step = int(draw.integers(NUMBER_SPACE // 10)) * 10 + 7
    start = int(draw.integers(NUMBER_SPACE))
    return np.array([f"{COUNTRY_CODE}{(start + step * k) % NUMBER_SPACE:09d}" for k in range(count)], dtype=object)
