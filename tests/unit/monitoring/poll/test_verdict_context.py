"""A verdict reads the calendar's neighbours: a day without rows breaks a run."""

from collections.abc import Mapping

from driftline.engine.results import Result, State
from monitoring.poll.verdict_context import VerdictContext
from tests.unit.monitoring.reports_builder import DAY, ORIGIN, SPEC, drift, realized, revision

GOOD, LOW = realized(0.7), realized(0.45)


def around(results: Mapping[int, tuple[Result, ...]], clock_day: int = 20) -> VerdictContext:
    return VerdictContext(
        SPEC,
        ORIGIN + clock_day * DAY,
        {ORIGIN + day * DAY: revision(day) for day in results},
        {ORIGIN + day * DAY: found for day, found in results.items()},
    )


def state(here: VerdictContext, day: int) -> State:
    return here.verdict(ORIGIN + day * DAY).state


def test_a_second_low_day_in_a_row_alerts() -> None:
    here = around({1: (GOOD,), 2: (LOW,), 3: (LOW,)})
    assert (state(here, 2), state(here, 3)) == (State.WARN, State.ALERT)


def test_a_day_without_rows_breaks_the_run() -> None:
    assert state(around({1: (LOW,), 3: (LOW,)}), 3) is State.WARN


def test_drift_lasts_over_one_quiet_day_but_not_over_two() -> None:
    seen, quiet = (GOOD, drift(0.9)), (GOOD, drift(0.01))
    assert around({1: seen, 2: quiet, 3: seen}).verdict(ORIGIN + 3 * DAY).drifted == ("minutes",)
    assert around({1: seen, 2: quiet, 3: quiet, 4: seen}).verdict(ORIGIN + 4 * DAY).drifted == ()


def test_labels_are_due_by_the_models_clock() -> None:
    low = {1: (LOW,)}
    assert state(around(low, clock_day=4), 1) is State.PENDING_LABELS
    assert state(around(low, clock_day=5), 1) is State.WARN
