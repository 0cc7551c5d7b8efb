from dataclasses import replace

import pytest

from driftline.engine.results import Bounds, Metric, Result, State
from driftline.engine.spec import ThresholdPolicy
from driftline.engine.threshold_override import ConstantThreshold
from driftline.engine.verdicts.chunk_facts import ChunkFacts
from driftline.engine.verdicts.track_record import TrackRecord
from driftline.engine.verdicts.verdict import verdict_of
from tests.unit.engine.chunk_builders import (
    LOWER,
    ONE_METRIC,
    chunk,
    drift,
    estimated,
    realized,
    unlabelled,
)

FAR, NEAR, FINE = 0.41, 0.45, 0.52
ALMOST = 0.48
CLOSER = Bounds(lower=0.47, alert_lower=0.45, expected=0.52)
"""Bounds that a value of 0.48 is near: two thirds of the way to the one, and half of that to the other."""
TRUSTED: dict[str, TrackRecord] = {Metric.F1: TrackRecord(compared=10, held=9)}
FAILED: dict[str, TrackRecord] = {Metric.F1: TrackRecord(compared=10, held=8)}
SHORT: dict[str, TrackRecord] = {Metric.F1: TrackRecord(compared=3, held=3)}
DRIFTED = drift(0.15)


def close(value: float) -> Result:
    """Realized F1 with `CLOSER` bounds."""
    return replace(realized(value), bounds=CLOSER)


@pytest.mark.parametrize(
    ("value", "before", "state"),
    [
        (FINE, None, State.OK),
        (0.47, None, State.OK),
        (NEAR, None, State.WARN),
        (0.42, None, State.WARN),
        (FAR, None, State.ALERT),
        (NEAR, FINE, State.WARN),
        (NEAR, NEAR, State.ALERT),
        (NEAR, FAR, State.ALERT),
        (FINE, FAR, State.OK),
        (0.99, None, State.OK),
    ],
)
def test_realized_performance_decides_once_labels_are_in(value: float, before: float | None, state: State) -> None:
    preceding = [] if before is None else [chunk(realized(before), day=9)]
    verdict = verdict_of(ONE_METRIC, chunk(realized(value)), preceding)
    assert verdict.state is state
    assert not verdict.provisional


@pytest.mark.parametrize(
    ("value", "before", "state"),
    [
        (0.46, ALMOST, State.ALERT),
        (0.46, 0.486, State.WARN),
        (ALMOST, 0.46, State.OK),
        (ALMOST, ALMOST, State.OK),
        (0.45, FINE, State.WARN),
        (0.449, FINE, State.ALERT),
    ],
)
def test_a_run_may_begin_near_the_bound(value: float, before: float, state: State) -> None:
    verdict = verdict_of(ONE_METRIC, chunk(close(value)), [chunk(close(before), day=9)])
    assert verdict.state is state


def test_with_few_reference_chunks_near_is_further_off() -> None:
    far = replace(CLOSER, alert_lower=0.41)
    facts, before = chunk(replace(realized(0.46), bounds=far)), chunk(replace(realized(ALMOST), bounds=far), day=9)
    assert verdict_of(ONE_METRIC, facts, [before]).state is State.WARN


@pytest.mark.parametrize(
    "before",
    [
        chunk(realized(NEAR), day=9, closed=False),
        chunk(realized(NEAR), day=9, labels_due=False),
        chunk(realized(NEAR), day=9, labelled=900),
        chunk(realized(NEAR), day=9, rows=99),
        chunk(realized(None), day=9),
        chunk(realized(NEAR, Metric.ACCURACY), day=9),
        chunk(estimated(NEAR), day=9),
        chunk(day=9, rows=0),
        chunk(realized(NEAR), day=11),
    ],
)
def test_a_chunk_without_the_same_metric_starts_no_run(before: ChunkFacts) -> None:
    assert verdict_of(ONE_METRIC, chunk(realized(NEAR)), [before]).state is State.WARN


def test_two_running_are_neighbours() -> None:
    preceding = [chunk(realized(NEAR), day=8), chunk(realized(FINE), day=9)]
    assert verdict_of(ONE_METRIC, chunk(realized(NEAR)), preceding).state is State.WARN


@pytest.mark.parametrize(
    ("labelled", "state"), [(950, State.OK), (949, State.PENDING_LABELS), (0, State.PENDING_LABELS)]
)
def test_enough_labels_are_needed_for_ok(labelled: int, state: State) -> None:
    verdict = verdict_of(ONE_METRIC, chunk(realized(FINE), labelled=labelled))
    assert verdict.state is state
    assert verdict.provisional is (state is State.PENDING_LABELS)


@pytest.mark.parametrize("value", [NEAR, FAR])
def test_with_labels_due_but_missing_realized_warns_at_most(value: float) -> None:
    verdict = verdict_of(ONE_METRIC, chunk(realized(value), labelled=600), [chunk(realized(FAR), day=9)])
    assert verdict.state is State.WARN
    assert "on the 60 % of labels that are in" in verdict.reasons[0]


@pytest.mark.parametrize(
    "early",
    [
        chunk(realized(FAR), labels_due=False),
        chunk(realized(FAR), closed=False),
        unlabelled(realized(FAR), closed=False),
    ],
)
def test_early_labels_decide_nothing(early: ChunkFacts) -> None:
    verdict = verdict_of(ONE_METRIC, early, [chunk(realized(FAR), day=9)])
    assert verdict.state is State.PENDING_LABELS
    assert verdict.provisional


@pytest.mark.parametrize(
    ("value", "before", "records", "state"),
    [
        (FINE, FAR, TRUSTED, State.PENDING_LABELS),
        (NEAR, FINE, TRUSTED, State.WARN),
        (NEAR, NEAR, TRUSTED, State.ALERT),
        (NEAR, NEAR, FAILED, State.WARN),
        (FAR, FINE, TRUSTED, State.ALERT),
        (FAR, FINE, FAILED, State.WARN),
        (FAR, FINE, SHORT, State.WARN),
        (FAR, FINE, {}, State.WARN),
        (None, FAR, TRUSTED, State.PENDING_LABELS),
    ],
)
def test_estimates_speak_where_labels_cannot(
    value: float | None, before: float, records: dict[str, TrackRecord], state: State
) -> None:
    verdict = verdict_of(ONE_METRIC, unlabelled(estimated(value)), [unlabelled(estimated(before), day=9)], records)
    assert verdict.state is state
    assert verdict.provisional


def test_an_estimate_of_an_open_chunk_warns_at_most() -> None:
    facts = unlabelled(estimated(FAR), closed=False)
    verdict = verdict_of(ONE_METRIC, facts, [unlabelled(estimated(FAR), day=9)], TRUSTED)
    assert verdict.state is State.WARN
    assert "the chunk is still open" in verdict.reasons[0]


def test_an_estimate_says_nothing_where_realized_decides() -> None:
    facts = chunk(realized(FINE), estimated(FAR))
    assert verdict_of(ONE_METRIC, facts, [chunk(estimated(FAR), day=9)], TRUSTED).state is State.OK


@pytest.mark.parametrize(("estimate", "state"), [(FINE, State.INSUFFICIENT), (NEAR, State.WARN), (FAR, State.ALERT)])
def test_an_undefined_realized_value_leaves_it_to_the_estimate(estimate: float, state: State) -> None:
    facts = chunk(realized(None, reason="all labels are 0"), estimated(estimate))
    verdict = verdict_of(ONE_METRIC, facts, records=TRUSTED)
    assert verdict.state is state
    assert "F1 is undefined: all labels are 0" in verdict.reasons


def test_one_undefined_metric_is_enough_to_be_insufficient() -> None:
    spec = ONE_METRIC.model_copy(update={"metrics": (Metric.F1, Metric.ROC_AUC)})
    assert verdict_of(spec, chunk(realized(FINE))).state is State.INSUFFICIENT
    assert verdict_of(spec, chunk(realized(NEAR))).state is State.WARN
    assert verdict_of(spec, chunk(realized(FINE), realized(FINE, Metric.ROC_AUC))).state is State.OK


@pytest.mark.parametrize(
    ("rows", "closed", "state", "words"),
    [
        (0, True, State.NO_DATA, "no predictions"),
        (0, False, State.NO_DATA, "no predictions"),
        (99, True, State.INSUFFICIENT, "99 rows are fewer than the minimum of 100"),
        (99, False, State.INSUFFICIENT, "99 rows"),
    ],
)
def test_too_few_rows_say_nothing_else(rows: int, closed: bool, state: State, words: str) -> None:
    facts = chunk(realized(FAR), DRIFTED, rows=rows, closed=closed)
    verdict = verdict_of(ONE_METRIC, facts, [chunk(DRIFTED, realized(FAR), day=9)])
    assert verdict.state is state
    assert words in verdict.reasons[0]
    assert verdict.provisional is not closed
    assert verdict.drifted == ()


def test_the_minimum_of_rows_is_enough() -> None:
    assert verdict_of(ONE_METRIC, chunk(realized(FINE), rows=100)).state is State.OK


def test_without_a_bound_nothing_is_ok() -> None:
    verdict = verdict_of(ONE_METRIC, chunk(realized(FINE, bounds=Bounds())))
    assert verdict.state is State.INSUFFICIENT
    assert "F1 0.52 has no bound to compare with." in verdict.reasons


def test_constant_bounds_are_said_to_be() -> None:
    facts = chunk(realized(0.8, bounds=Bounds(lower=0.5), reason="The reference has 2 usable chunks."))
    verdict = verdict_of(ONE_METRIC, facts)
    assert verdict.state is State.OK
    assert verdict.reasons[-1] == "The reference has 2 usable chunks."


@pytest.mark.parametrize("value", [FAR, NEAR, FINE])
@pytest.mark.parametrize("bounds", [LOWER, Bounds()])
def test_constant_bounds_of_an_estimate_are_said_to_be(value: float, bounds: Bounds) -> None:
    facts = unlabelled(estimated(value, bounds=bounds, reason="The reference has 2 usable chunks."))
    assert verdict_of(ONE_METRIC, facts, records=TRUSTED).reasons[-1] == "The reference has 2 usable chunks."


def test_better_than_expected_is_a_note() -> None:
    assert verdict_of(ONE_METRIC, chunk(realized(0.58))).reasons == (
        "F1 0.58 is not below its warning bound 0.47.",
        "F1 0.58 is better than expected (0.52).",
    )
    assert len(verdict_of(ONE_METRIC, chunk(realized(0.56))).reasons) == 1


@pytest.mark.parametrize(
    ("value", "before", "reason"),
    [
        (FINE, FINE, "F1 0.52 is not below its warning bound 0.47."),
        (NEAR, FINE, "F1 0.45 is below its warning bound 0.47."),
        (NEAR, NEAR, "F1 0.45 is below its warning bound 0.47, the second closed chunk running near or beyond it."),
        (FAR, FINE, "F1 0.41 is below its alert bound 0.42."),
        (0.469999, FINE, "F1 0.469999 is below its warning bound 0.47."),
    ],
)
def test_reasons_are_plain_words_with_numbers(value: float, before: float, reason: str) -> None:
    verdict = verdict_of(ONE_METRIC, chunk(realized(value)), [chunk(realized(before), day=9)])
    assert verdict.reasons == (reason,)


@pytest.mark.parametrize(
    ("present", "state"),
    [
        (chunk(realized(FINE), DRIFTED), State.WARN),
        (chunk(realized(FAR), DRIFTED), State.ALERT),
        (unlabelled(DRIFTED), State.WARN),
        (chunk(realized(None), DRIFTED), State.WARN),
        (unlabelled(DRIFTED, closed=False), State.PENDING_LABELS),
        (chunk(realized(FINE)), State.OK),
    ],
)
def test_lasting_drift_warns_whatever_performance_is(present: ChunkFacts, state: State) -> None:
    verdict = verdict_of(ONE_METRIC, present, [chunk(DRIFTED, realized(FINE), day=9)])
    assert verdict.state is state
    assert verdict.drifted == (("x",) if present.closed and DRIFTED in present.results else ())


@pytest.mark.parametrize(
    ("value", "before", "state", "reason"),
    [
        (0.46, FINE, State.ALERT, "F1 0.46 is below its warning bound 0.47, while drift lasts."),
        (
            ALMOST,
            ALMOST,
            State.ALERT,
            "F1 0.48 is near its warning bound 0.47, the second closed chunk running near or beyond it, "
            "while drift lasts.",
        ),
        (ALMOST, FINE, State.WARN, None),
        (FINE, 0.46, State.WARN, None),
        (0.486, 0.486, State.WARN, None),
    ],
)
def test_lasting_drift_confirms_a_fall(value: float, before: float, state: State, reason: str | None) -> None:
    present, earlier = chunk(close(value), DRIFTED), chunk(close(before), DRIFTED, day=9)
    verdict = verdict_of(ONE_METRIC, present, [earlier])
    assert verdict.state is state
    assert reason is None or verdict.reasons[0] == reason
    assert verdict_of(ONE_METRIC, chunk(close(value)), [earlier]).state is not State.ALERT


def test_only_driftlines_own_bounds_have_a_way_to_them() -> None:
    for spec in (
        ONE_METRIC.model_copy(update={"thresholds": ThresholdPolicy.NANNYML}),
        ONE_METRIC.model_copy(update={"threshold_overrides": {Metric.F1: ConstantThreshold(lower=0.47)}}),
    ):
        facts, before = chunk(close(ALMOST), DRIFTED), [chunk(close(ALMOST), DRIFTED, day=9)]
        assert verdict_of(spec, facts, before).state is State.WARN


def test_drift_alerts_only_where_the_spec_opts_in() -> None:
    facts, before = chunk(realized(FINE), DRIFTED), [chunk(DRIFTED, day=9)]
    assert verdict_of(ONE_METRIC, facts, before).state is State.WARN
    opted = ONE_METRIC.model_copy(update={"drift_alerts": True})
    assert verdict_of(opted, facts, before).state is State.ALERT
    assert verdict_of(opted, facts).state is State.OK


def test_drift_seen_once_is_a_note() -> None:
    verdict = verdict_of(ONE_METRIC, chunk(realized(FINE), DRIFTED))
    assert verdict.state is State.OK
    assert verdict.drifted == ()
    assert verdict.reasons[-1] == (
        "x drifted: Jensen-Shannon distance 0.15 is above its bound 0.12; seen in one closed chunk so far."
    )
