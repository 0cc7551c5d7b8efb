"""A verdict reads the calendar's neighbours: a day without rows breaks a run."""

from collections.abc import Mapping

from driftline.engine.results import Result, State
from monitoring.poll.verdict_context import VerdictContext
from tests.unit.monitoring.reports_builder import DAY, ORIGIN, SPEC, drift, realized, revision

OK, LOW = realized(0.7), realized(0.45)


def context_of(results: Mapping[int, tuple[Result, ...]], clock_day: int = 20) -> VerdictContext:
    return VerdictContext(
        SPEC,
        ORIGIN + clock_day * DAY,
        {ORIGIN + day * DAY: revision(day) for day in results},
        {ORIGIN + day * DAY: day_results for day, day_results in results.items()},
    )


def state(context: VerdictContext, day: int) -> State:
    return context.verdict(ORIGIN + day * DAY).state


def test_a_second_low_day_in_a_row_alerts() -> None:
    context = context_of({1: (OK,), 2: (LOW,), 3: (LOW,)})
    assert (state(context, 2), state(context, 3)) == (State.WARN, State.ALERT)


def test_a_day_without_rows_breaks_the_run() -> None:
    assert state(context_of({1: (LOW,), 3: (LOW,)}), 3) is State.WARN


def test_drift_lasts_over_one_quiet_day_but_not_over_two() -> None:
    with_drift, quiet = (OK, drift(0.9)), (OK, drift(0.01))
    assert context_of({1: with_drift, 2: quiet, 3: with_drift}).verdict(ORIGIN + 3 * DAY).drifted == ("minutes",)
    assert context_of({1: with_drift, 2: quiet, 3: quiet, 4: with_drift}).verdict(ORIGIN + 4 * DAY).drifted == ()


def test_labels_are_due_by_the_models_clock() -> None:
    low = {1: (LOW,)}
    assert state(context_of(low, clock_day=4), 1) is State.PENDING_LABELS
    assert state(context_of(low, clock_day=5), 1) is State.WARN
