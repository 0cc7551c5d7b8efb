"""Churn labels, drawn with a probability that follows from the true usage of the last seven days. No I/O here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq

from churn.columns import TRAILING_DAYS
from flaskapp.world.calibration import Floats, curve
from flaskapp.world.draws import Purpose, generator
from flaskapp.world.media import Medium
from flaskapp.world.population import Ints, Population, populate
from flaskapp.world.usage import Bools, Levels, Usage, usage_of_day

CALLS = (Medium.OUT_CALLS, Medium.IN_CALLS)
"""The media that `Usage.calls` needs."""
PREVALENCE = 0.14
USAGE_WEIGHT = 0.6
"""A week varies more than the month the slopes were fitted on; so weighted, a good model has a ROC AUC near 0.85."""
PLAN_WEIGHT = 0.5
"""Plan and complaints separate subscribers in a way that usage does not show; at full weight they would dominate."""

SOLVING_DAYS = tuple(738_886 + 30 * k for k in range(12))
"""Ordinals of the days, from 2024 on, over which the intercept is solved; undrifted, so no drift moves it."""
SOLVING_SUBSCRIBERS = 24_000
"""This many subscriber-days are enough: the more subscribers, the fewer days."""


@dataclass(frozen=True)
class Risk:
    """The effect of drift on the curve: `slope` multiplies the usage slopes (concept), `shift` is added (prior)."""

    slope: float = 1.0
    shift: float = 0.0


@dataclass(frozen=True)
class Labels:
    """A day's labels per subscriber: `has_record`, `churned`, and the days until a 1 is known (`delay`)."""

    has_record: Bools
    churned: Bools
    delay: Ints


def usage_logit(week: Sequence[Usage]) -> Floats:
    """Return the usage's part of the logit per subscriber from the days of one week."""
    mean: Floats = sum((usage.calls() for usage in week), np.zeros((1, 4))) / len(week)
    return USAGE_WEIGHT * curve().usage_logit(mean)


@cache
def solve_intercept(seed: int, subscribers: int) -> float:
    """Find the intercept at which the undrifted population churns at `PREVALENCE`."""
    people, days = populate(seed, subscribers), max(1, SOLVING_SUBSCRIBERS // subscribers)
    return _offset(np.concatenate([_logits(people, day) for day in SOLVING_DAYS[:days]]), PREVALENCE)


def _logits(people: Population, day: int) -> Floats:
    last = usage_of_day(people, day, Levels())
    before = [usage_of_day(people, day - back, Levels(), CALLS) for back in range(1, TRAILING_DAYS)]
    result: Floats = (usage_logit([last, *before]) + PLAN_WEIGHT * people.plan_logit)[last.has_record]
    return result


def chances(usage: Floats, plan: Floats, intercept: float, risk: Risk) -> Floats:
    """Return the chance of churn per subscriber-day from its parts of the logit.

    Other slopes keep the prevalence these subscriber-days had under the old ones; only then is the intercept shifted.
    """
    logit = intercept + usage + PLAN_WEIGHT * plan
    if risk.slope == 1.0 or not len(usage):
        return _logistic(logit + risk.shift)
    after = risk.slope * usage + PLAN_WEIGHT * plan
    return _logistic(after + _offset(after, float(_logistic(logit).mean())) + risk.shift)


def draw_labels(people: Population, day: int, has_record: Bools, chance: Floats, label_delay: int) -> Labels:
    """Draw the day's labels from random numbers that do not depend on drift, so drift flips as few labels as it can."""
    churned = generator(people.seed, Purpose.LABEL, day).random(people.subscribers) < chance
    delay = generator(people.seed, Purpose.LABEL_DAY, day).integers(1, label_delay + 1, size=people.subscribers)
    return Labels(has_record, churned & has_record, delay)


def _offset(logits: Floats, prevalence: float) -> float:
    """Return what to add to the logits so that their mean probability is the prevalence; 0 without logits."""
    if not len(logits):
        return 0.0

    def excess(offset: float) -> float:
        return float(_logistic(logits + offset).mean()) - prevalence

    reach = 40.0 + float(np.abs(logits).max())
    return float(brentq(excess, -reach, reach, xtol=1e-10))


def _logistic(logits: Floats) -> Floats:
    result: Floats = 1.0 / (1.0 + np.exp(-logits))
    return result
