"""The zone of indifference, and how much chunks and days of the reference vary. No I/O here.

Chunks that are shorter than a day share the effect of their day: otherwise the hours of one unusual day would count as
independent evidence. Days may differ by weekday: otherwise what repeats each week would hide changes.
"""

from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np
from scipy.special import fdtrc, gammaincinv

from driftline.engine.frames.columns import FloatArray, IntArray

LEVEL = 0.2
"""Variances are upper confidence limits at this level, one-sided."""
LEVEL_FREEDOM = 20
"""With fewer degrees of freedom the level falls in proportion: few chunks tell little about how chunks vary."""
SMALLEST_HALF_WIDTH = 0.10
"""Changes of log-odds up to this one are never evidence."""
ERRORS = 2.5
"""The zone is at least this many standard errors of the reference's mean."""
Number = TypeVar("Number", float, FloatArray)
WEEKDAYS = 7
MINIMUM_WEEKS = 3
"""Days differ by weekday only if the reference has each weekday this many times."""
WEEKDAY_LEVEL = 0.01
"""The level of the test that days differ by weekday."""


@dataclass(frozen=True, slots=True)
class IndifferenceZone:
    """The zone of indifference: how far log-odds may differ from the usual without counting as changed.

    `variance` is that of log-odds between chunks, `half_width` that of the zone. `daily` is the variance between
    days times the information of a day, where chunks are shorter than a day; else 0. `offsets` are the usual
    differences from 0 by weekday, Monday first; none where weekdays do not differ.
    """

    variance: float
    half_width: float
    daily: float = 0.0
    offsets: tuple[float, ...] = ()

    def overdispersion(self, information: Number) -> Number:
        """Return the factor by which log likelihood ratios of chunks with this information shrink.

        Of n chunks with information V each that share an effect of variance t2, all together have nV / (1 + nV t2).
        """
        return 1 + information * self.variance + self.daily

    def usual(self, weekdays: IntArray) -> FloatArray:
        """Return the usual difference from 0 of chunks on these weekdays."""
        return np.array(self.offsets)[weekdays] if self.offsets else np.zeros(len(weekdays))

    def to_dict(self) -> dict[str, Any]:
        """Return the values as JSON-compatible values."""
        return {
            "variance": self.variance,
            "zone": self.half_width,
            "daily": self.daily,
            "offsets": list(self.offsets),
        }

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Self:
        """Return the values that `to_dict` serialized."""
        return cls(stored["variance"], stored["zone"], stored.get("daily", 0.0), tuple(stored.get("offsets", ())))


def fit_indifference(statistics: FloatArray, variances: FloatArray, days: IntArray | None = None) -> IndifferenceZone:
    """Fit the zone from the score statistics U and variances V of the reference's chunks, at least two of them.

    U / V is about the effect of a chunk. `days` are the chunks' days as ordinals (1 is a Monday); None where chunks
    are longer than a day, or no period at all. A single day tells nothing about how days vary: then only the variance
    between chunks counts.
    """
    if days is None or days.min() == days.max():
        between = variance_between(statistics, variances)
        return IndifferenceZone(between, _half_width(between, variances, len(variances)))
    dates, of_day = np.unique(days, return_inverse=True)
    weekdays = (dates - 1) % WEEKDAYS
    of_days = _sums(of_day, statistics), _sums(of_day, variances)
    offsets = weekday_offsets(*of_days, weekdays)
    if offsets is None:
        indifference = _fit_days(*of_days)
    else:
        statistics = statistics - variances * offsets[weekdays[of_day]]
        indifference = _fit_days(of_days[0] - of_days[1] * offsets[weekdays], of_days[1], weekdays)
        indifference = replace(indifference, offsets=tuple(offsets.tolist()))
    if len(dates) == len(days):
        return indifference
    return _fit_parts(indifference, statistics, variances, float(of_days[1].mean()))


def _fit_days(statistics: FloatArray, variances: FloatArray, weekdays: IntArray | None = None) -> IndifferenceZone:
    """Fit on the statistics of days; those without the offsets of their `weekdays`, where these were fitted."""
    days = len(variances)
    if weekdays is None:
        between = variance_between(statistics, variances)
        return IndifferenceZone(between, _half_width(between, variances, days))
    between = variance_between(statistics, variances, WEEKDAYS)
    error = np.mean(1 / _sums(weekdays, variances) + between / np.bincount(weekdays))
    return IndifferenceZone(between + float(error), _half_width(between, variances, days))


def _fit_parts(
    of_days: IndifferenceZone, statistics: FloatArray, variances: FloatArray, day_information: float
) -> IndifferenceZone:
    """Fit on the statistics of parts of days, without offsets; `day_information` is the information of a day."""
    between = variance_between(statistics, variances)
    half_width = max(of_days.half_width, _half_width(between, variances, len(variances)))
    return IndifferenceZone(between, half_width, of_days.variance * day_information, of_days.offsets)


def _half_width(between: float, variances: FloatArray, number: int) -> float:
    """Return the half-width of the zone, from the error of the mean over this many chunks or days."""
    return max(SMALLEST_HALF_WIDTH, ERRORS * float(np.sqrt(1 / max(variances.sum(), 1e-9) + between / number)))


def weekday_offsets(statistics: FloatArray, variances: FloatArray, weekdays: IntArray) -> FloatArray | None:
    """Return the mean effect by weekday from the statistics of days; None where weekdays do not differ.

    They differ if the F test of a weighted analysis of variance says so at 1 %, on at least three days of each weekday.
    """
    counts = np.bincount(weekdays, minlength=WEEKDAYS)
    if counts.min() < MINIMUM_WEEKS or variances.min() <= 0:
        return None
    information = _sums(weekdays, variances)
    means = _sums(weekdays, statistics) / information
    within = (variances * (statistics / variances - means[weekdays]) ** 2).sum() / (len(weekdays) - WEEKDAYS)
    grand = statistics.sum() / variances.sum()
    ratio = (information * (means - grand) ** 2).sum() / (WEEKDAYS - 1) / max(within, 1e-12)
    p_value = fdtrc(WEEKDAYS - 1, len(weekdays) - WEEKDAYS, ratio)
    return np.asarray(means) if p_value < WEEKDAY_LEVEL else None


def _sums(groups: IntArray, values: FloatArray) -> FloatArray:
    return np.bincount(groups, values).astype(np.float64)


def variance_between(statistics: FloatArray, variances: FloatArray, estimated: int = 1) -> float:
    """Return the upper confidence limit of the variance between chunks: t2 >= 0 in sum U^2 / (V + V^2 t2) = quantile.

    This is the Q-profile method (Viechtbauer 2007, Statistics in Medicine 26, 37-52) for effects U / V with sampling
    variances 1 / V, of which `estimated` means were fitted.
    """
    goal = lowest_chi2(len(statistics) - estimated)

    def excess(variance: float) -> float:
        return float((statistics**2 / np.maximum(variances + variances**2 * variance, 1e-12)).sum()) - goal

    if excess(0.0) <= 0:
        return 0.0
    low, high = 0.0, 1.0
    while excess(high) > 0 and high < 1e6:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def lowest_chi2(freedom: int) -> float:
    """Return the chi2 quantile that upper confidence limits of variances divide by.

    Its level is `LEVEL`, less with few degrees of freedom. A limit that is too low makes alerts of a model's calm
    chunks, the more of them the fewer chunks the limit rests on; this keeps their mean within the budget
    (`benchmarks/README.md`).
    """
    level = LEVEL * min(1.0, freedom / LEVEL_FREEDOM)
    return 2.0 * float(gammaincinv(freedom / 2, level))
