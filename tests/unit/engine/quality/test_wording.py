"""Faults in the verdict: which count, how long they must last, and what is said of them."""

import pytest

from driftline.engine.results import MODEL, Bounds, Quality, Result, ResultKind, State
from driftline.engine.verdicts.drift_rule import drift_findings, drift_of, drift_reasons
from driftline.engine.verdicts.verdict import verdict_of
from tests.unit.engine.chunk_builders import ONE_METRIC, chunk

ZERO = Bounds(upper=0.0)


def _fault(
    method: Quality, value: float, bounds: Bounds = ZERO, effect: float | None = None, subject: str = "x"
) -> Result:
    return Result(subject, ResultKind.QUALITY, method, value, 1000, State.WARN, bounds, effect=effect)


def _count(rows: float) -> Result:
    return _fault(Quality.ROW_COUNT, rows, Bounds(lower=500.0, upper=1500.0), subject=MODEL)


@pytest.mark.parametrize(
    ("result", "wording"),
    [
        (_fault(Quality.UNSEEN_CATEGORIES, 0.05, effect=0.03), "x has a category that the reference lacks in 3 %"),
        (_fault(Quality.OUT_OF_RANGE, 0.03, effect=0.03), "x is outside the reference's range in 3 % of rows"),
        (
            _fault(Quality.DUPLICATES, 0.03, Bounds(upper=0.02), 0.03, MODEL),
            "3 % of rows are duplicates, above its bound 2 %",
        ),
        (_fault(Quality.DUPLICATES, 0.03, Bounds(), 0.03, MODEL), "3 % of rows are duplicates"),
        (_count(300.0), "300 rows are fewer than the bound 500.0"),
        (_count(1600.0), "1600 rows are more than the bound 1500.0"),
        (
            _fault(Quality.FRESHNESS, 7200.0, Bounds(upper=3600.0), subject=MODEL),
            "the newest row is 7,200 s older than the chunk's end, above the bound 3,600 s",
        ),
    ],
)
def test_a_fault_beyond_its_bound_and_floor_is_seen(result: Result, wording: str) -> None:
    (reason,) = drift_reasons(ONE_METRIC, chunk(result)).values()
    assert reason.startswith(wording)


@pytest.mark.parametrize(
    "result",
    [
        _fault(Quality.UNSEEN_CATEGORIES, 0.05, effect=0.01),
        _fault(Quality.OUT_OF_RANGE, 0.01, effect=0.01),
        _fault(Quality.DUPLICATES, 0.01, Bounds(), 0.01, MODEL),
        _fault(Quality.DUPLICATES, 0.03, Bounds(upper=0.03), 0.03, MODEL),
        _count(600.0),
        _fault(Quality.FRESHNESS, 3600.0, Bounds(upper=3600.0), subject=MODEL),
        _fault(Quality.ROW_COUNT, 3.0, Bounds(), subject=MODEL),
    ],
)
def test_a_small_fault_is_not(result: Result) -> None:
    assert drift_reasons(ONE_METRIC, chunk(result)) == {}


def test_a_fault_warns_when_it_lasts() -> None:
    few = _count(300.0)
    once = drift_findings(
        ONE_METRIC, chunk(few, day=10), drift_of(ONE_METRIC, chunk(few, day=10), [chunk(_count(900.0), day=9)])
    )
    assert [finding.state for finding in once] == [None]
    twice = verdict_of(ONE_METRIC, chunk(few, day=10), [chunk(few, day=9)])
    assert "300 rows are fewer than the bound 500.0, and it lasts." in twice.reasons
    assert twice.drifted == ()


def test_one_fault_does_not_make_another_last() -> None:
    unseen = _fault(Quality.UNSEEN_CATEGORIES, 0.1, effect=0.1)
    missing = _fault(Quality.MISSING_VALUES, 0.1, effect=0.1)
    assert drift_of(ONE_METRIC, chunk(unseen, day=10), [chunk(missing, day=9)]).lasting == frozenset()
    assert len(drift_of(ONE_METRIC, chunk(unseen, missing, day=10), [chunk(missing, day=9)]).lasting) == 1


def test_an_open_chunk_is_neither_short_of_rows_nor_stale() -> None:
    stale = _fault(Quality.FRESHNESS, 7200.0, Bounds(upper=3600.0), subject=MODEL)
    assert drift_reasons(ONE_METRIC, chunk(_count(300.0), stale, closed=False)) == {}


def test_statistics_never_speak_in_the_verdict() -> None:
    far = Result("x", ResultKind.STATISTIC, "mean", 9.0, 1000, State.WARN, Bounds(lower=0.0, upper=1.0))
    days = [chunk(far, day=day) for day in (8, 9, 10)]
    assert verdict_of(ONE_METRIC, days[2], days[:2]) == verdict_of(ONE_METRIC, chunk(day=10), [])
