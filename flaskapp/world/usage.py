"""The true usage of one day, subscriber by subscriber, before anything is recorded. No I/O here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from churn.columns import Cdr
from flaskapp.world.calibration import Floats
from flaskapp.world.draws import Purpose, generator
from flaskapp.world.media import Medium, Traits
from flaskapp.world.population import Habits, Ints, Population

Bools = npt.NDArray[np.bool_]

SPELL_DAYS = 12
"""A subscriber's habits wander: talkative and quiet spells of about this many days."""
DAY_NOISE = 0.25
"""Day-to-day spread, of the logarithm, of a subscriber's expected calls, SMS and sessions."""

MANY, MOST = 50.0, 150
"""From this rate on counts are drawn by the normal approximation; below it, no count reaches the second number."""
SET_ASIDE = 5
"""After this many events, complete counts are set aside."""


@dataclass(frozen=True)
class Levels:
    """The effect of drift on a day's usage: a factor per column, and the share of people replaced by heavy callers.

    A count's factor carries to the amount, as one call more is some seconds more; an amount's factor leaves the count.
    """

    factors: Mapping[Cdr, float] = field(default_factory=dict)
    heavy_share: float = 0.0


@dataclass(frozen=True)
class Usage:
    """True usage of one day: an integer per subscriber in each column of `CDR_USAGE`; `has_record` if there is any."""

    columns: Mapping[Cdr, Ints]
    has_record: Bools

    def calls(self) -> Floats:
        """Stack calls and seconds, one row per subscriber and one column per name of `USAGE_TERMS`."""
        order = (Cdr.MOC_COUNT, Cdr.MOC_DURATION, Cdr.MTC_COUNT, Cdr.MTC_DURATION)
        return np.column_stack([self.columns[column] for column in order]).astype(np.float64)


def usage_of_day(people: Population, day: int, levels: Levels, media: Sequence[Medium] = tuple(Medium)) -> Usage:
    """Draw the true usage of some media on the day with this ordinal (`date.toordinal`); no other day is drawn for it.

    The random draws do not depend on the levels, so a drift changes only the subscribers that it is meant for, nor on
    the media; `has_record` is that of the media.
    """
    draws = _draws(people, day)
    habits = {medium: _habits(people, medium, levels.heavy_share) for medium in media}
    rates = np.stack([_rate(draws, medium.value, habits[medium].rate, levels) for medium in media])
    chance = draws.chance[[medium.value.number for medium in media]]
    columns: dict[Cdr, Ints] = {}
    for medium, count in zip(media, poisson(rates, chance), strict=True):
        columns |= _use(draws, medium.value, count, habits[medium].mean, levels)
    return Usage(columns, np.logical_or.reduce([values > 0 for values in columns.values()]))


@dataclass(frozen=True)
class _Draws:
    """A day's random values: a row per medium (by its number), a value per subscriber.

    `chance` is uniform, the rest standard normal; `on` is 0 for a phone that is off, else makes up for the days it is.
    """

    week: int
    on: Floats
    chance: Floats
    rate_noise: Floats
    size_noise: Floats
    rate_spell: Floats
    size_spell: Floats


def _draws(people: Population, day: int) -> _Draws:
    media = len(Medium)
    uniform = generator(people.seed, Purpose.CHANCE, day).random((media + 1, people.subscribers))
    normal = generator(people.seed, Purpose.NOISE, day).standard_normal((2 * media, people.subscribers))
    spell = _spell(people, day)
    on = np.where(uniform[media] >= people.silence, 1.0 / (1.0 - people.silence), 0.0)
    return _Draws((day - 1) % 7, on, uniform[:media], normal[:media], normal[media:], spell[:media], spell[media:])


def _spell(people: Population, day: int) -> Floats:
    """Return standard normal values that wander from knot to knot, `SPELL_DAYS` apart."""
    knot, step = divmod(day, SPELL_DAYS)
    share = step / SPELL_DAYS
    start, end = (_knot(people.seed, people.subscribers, place) for place in (knot, knot + 1))
    result: Floats = ((1.0 - share) * start + share * end) / np.hypot(1.0 - share, share)
    return result


@lru_cache(maxsize=3)
def _knot(seed: int, subscribers: int, knot: int) -> Floats:
    values = generator(seed, Purpose.SPELL, knot).standard_normal((2 * len(Medium), subscribers))
    values.setflags(write=False)
    return values


def _habits(people: Population, medium: Medium, heavy_share: float) -> Habits:
    habits, heavy = people.habits[medium], people.heavy.get(medium)
    if heavy is None or heavy_share == 0.0:
        return habits
    replaced = people.heavy_order < heavy_share
    return Habits(np.where(replaced, heavy.rate, habits.rate), np.where(replaced, heavy.mean, habits.mean))


def _rate(draws: _Draws, traits: Traits, rate: Floats, levels: Levels) -> Floats:
    """Return the expected number of events of each subscriber on this day."""
    spell = _factor(draws.rate_spell[traits.number], traits.rate_spell)
    noise = _factor(draws.rate_noise[traits.number], DAY_NOISE)
    return rate * draws.on * spell * noise * (traits.week[draws.week] * levels.factors.get(traits.count, 1.0))


def _use(draws: _Draws, traits: Traits, count: Ints, mean: Floats, levels: Levels) -> dict[Cdr, Ints]:
    """Return a medium's count and, if it has one, its amount: at least 1 per event, with noise averaged over events."""
    if traits.amount is None:
        return {traits.count: count}
    size = mean * levels.factors.get(traits.amount, 1.0) * _factor(draws.size_spell[traits.number], traits.size_spell)
    noise = _factor(draws.size_noise[traits.number], traits.size_noise / np.sqrt(np.maximum(count, 1)))
    total = np.rint(count * size * noise).astype(np.int64)
    return {traits.count: count, traits.amount: np.maximum(total, count)}


def poisson(rate: Floats, chance: Floats) -> Ints:
    """Turn uniform values into Poisson counts by inversion: one value per count, and a higher rate never counts less.

    From a rate of `MANY` on the normal approximation serves.
    """
    count, many = np.zeros(rate.shape, dtype=np.int64), rate >= MANY
    count[many] = np.maximum(np.rint(rate[many] + np.sqrt(rate[many]) * ndtri(chance[many])), 0.0).astype(np.int64)
    count[~many] = _count_by_inversion(rate[~many], chance[~many])
    return count


def _count_by_inversion(rate: Floats, chance: Floats) -> Ints:
    """Count, all rows at once, how many of the first Poisson probabilities the uniform value covers.

    Covered values stay negative, so they are set aside only every few steps: removing them costs more than one step.
    """
    count, rows = np.zeros(len(rate), dtype=np.int64), np.arange(len(rate))
    remaining, term = chance.copy(), np.exp(-rate)
    for first in range(1, MOST, SET_ASIDE):
        covered = np.zeros(len(rows), dtype=np.int64)
        for events in range(first, first + SET_ASIDE):
            remaining -= term
            covered += remaining >= 0.0
            term *= rate
            term /= events
        count[rows] += covered
        above = np.flatnonzero(remaining >= 0.0)
        if not above.size:
            break
        rows, rate, remaining, term = rows[above], rate[above], remaining[above], term[above]
    return count


def _factor(normal: Floats, spread: float | Floats) -> Floats:
    """Turn standard normal values into log-normal factors with mean 1."""
    result: Floats = np.exp(spread * normal - np.square(spread) / 2.0)
    return result
