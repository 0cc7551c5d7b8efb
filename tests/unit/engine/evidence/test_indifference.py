"""How chunks and days of a reference vary: by weekday, and together within a day."""

import numpy as np
import pytest

from benchmarks.detection.guarantee import CalmCase, false_alerts, streams_found
from driftline.engine.evidence.metrics.indifference import WEEKDAYS, IndifferenceZone, fit_indifference, weekday_offsets

WEEKS = 6
BY_WEEKDAY = np.array([0.4, 0.2, 0.0, 0.0, -0.1, -0.2, -0.3])


def drawn(random: np.random.Generator, by_weekday: np.ndarray, a_day: int = 1) -> tuple[np.ndarray, ...]:
    """Draw score statistics, their variances and the days of whole weeks of chunks; days vary by 0.1."""
    days = 1 + np.arange(WEEKS * WEEKDAYS * a_day) // a_day
    variances = np.full(len(days), 120.0 / a_day)
    effects = (by_weekday[(np.arange(WEEKS * WEEKDAYS)) % WEEKDAYS] + random.normal(0, 0.1, WEEKS * WEEKDAYS))[days - 1]
    return random.normal(variances * effects, np.sqrt(variances)), variances, days


def test_weekdays_that_differ_have_offsets() -> None:
    """Each is near the true difference, and the variance between days is that within weekdays."""
    fitted = fit_indifference(*drawn(np.random.default_rng(1), BY_WEEKDAY))
    assert np.array(fitted.offsets) == pytest.approx(BY_WEEKDAY, abs=0.2)
    assert fitted.variance < 0.04
    assert fitted.usual(np.array([0, 6])).tolist() == [fitted.offsets[0], fitted.offsets[6]]
    assert fitted.daily == 0


def test_weekdays_that_do_not_differ_have_none() -> None:
    """At a level of 1 %, and for hours too, whose days vary."""
    random = np.random.default_rng(2)
    false_offsets = sum(bool(fit_indifference(*drawn(random, np.zeros(7), 24)).offsets) for _ in range(100))
    assert false_offsets <= 4


def test_two_weeks_are_too_few_to_tell_weekdays_apart() -> None:
    """Even where they differ."""
    statistics, variances, _ = drawn(np.random.default_rng(3), BY_WEEKDAY)
    assert weekday_offsets(statistics[:14], variances[:14], np.arange(14) % 7) is None


def test_hours_share_the_variance_of_their_day() -> None:
    """24 hours with information V each have together nV / (1 + nV t2), and not 24 times that of one hour."""
    statistics, variances, days = drawn(np.random.default_rng(4), np.zeros(7), 24)
    hours, whole_days = fit_indifference(statistics, variances, days), fit_indifference(statistics, variances)
    assert whole_days.daily == 0
    assert hours.daily > 0.5
    together = 24 * variances[0] / hours.overdispersion(variances[0])
    assert together < 1 / 0.1**2
    assert 24 * variances[0] / whole_days.overdispersion(variances[0]) > together


def test_zones_are_read_from_json_of_any_version() -> None:
    """The later values have defaults."""
    state = IndifferenceZone(0.1, 0.2, 0.3, (0.1,) * 7)
    assert IndifferenceZone.from_dict(state.to_dict()) == state
    assert IndifferenceZone.from_dict({"variance": 0.1, "zone": 0.2}) == IndifferenceZone(0.1, 0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("problem", "unit", "chunks"), [("binary", "day", 8), ("regression", "day", 28), ("binary", "hour", 168)]
)
def test_weeks_that_repeat_do_not_alert(problem: str, unit: str, chunks: int) -> None:
    """Weekdays differ with a standard deviation of 0.3; the hours of a day with it."""
    case, streams = CalmCase(problem, unit, chunks, spread=0.1, weekly=0.3), 8 if unit == "hour" else 20
    assert false_alerts(case, streams, [1.0])[1.0] <= case.allowed(1.0, streams)


@pytest.mark.slow
@pytest.mark.parametrize("problem", ["binary", "regression"])
def test_a_change_is_found_in_spite_of_the_weekdays(problem: str) -> None:
    """Within a week in nearly every stream; without offsets for the weekdays in fewer than half."""
    case = CalmCase(problem, "day", 28, spread=0.1, weekly=0.3, shift=0.6)
    assert streams_found(case, streams=10, chunks=7) >= 9
