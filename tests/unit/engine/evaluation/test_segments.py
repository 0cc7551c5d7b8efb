"""Results by segment: equal to those of the segment's rows alone, and laws that hold for them too."""

from dataclasses import replace
from functools import reduce
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.engine.computation.fitted_methods import Summary
from driftline.engine.evaluation.evaluate import evaluate_chunk, finish_chunk, summarize_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.results import MODEL, Bounds, Metric, Quality, Result, ResultKind, State, Statistic
from driftline.engine.verdicts.verdict import verdict_of
from driftline.errors import InvalidInput
from tests.unit.engine.chunk_builders import ONE_METRIC, chunk, realized
from tests.unit.engine.frame_builders import SPEC, scored_rows
from tests.unit.example_counts import FEW

PLAIN = SPEC.model_copy(
    update={"quality": (Quality.MISSING_VALUES, Quality.ROW_COUNT), "statistics": (Statistic.MEAN, Statistic.MEDIAN)}
)
BY_PLAN = PLAIN.model_copy(update={"segments": ("plan",)})
LOOSE = BY_PLAN.model_copy(update={"minimum_rows": 2, "minimum_class_rows": 1})


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return scored_rows(6_000, days=6)


@pytest.fixture(scope="module")
def fitted(reference: pd.DataFrame) -> FittedReference:
    return fit_reference(reference, BY_PLAN)


def _segment(results: tuple[Result, ...], name: str | None) -> tuple[Result, ...]:
    return tuple(result for result in results if result.segment == name)


@pytest.mark.slow
def test_a_segment_has_the_results_of_its_rows_alone(reference: pd.DataFrame, fitted: FittedReference) -> None:
    rows = scored_rows(2_000, seed=1)
    results = evaluate_chunk(fitted, BY_PLAN, rows)
    assert list(dict.fromkeys(r.segment for r in results)) == [None, "plan=basic", "plan=plus", "plan=pro"]
    for plan in ("basic", "plus", "pro"):
        alone = fit_reference(reference[reference["plan"] == plan], PLAIN)
        expected = evaluate_chunk(alone, PLAIN, rows[rows["plan"] == plan])
        assert tuple(replace(r, segment=None) for r in _segment(results, f"plan={plan}")) == expected


@pytest.mark.slow
def test_results_of_all_rows_are_those_without_segments(reference: pd.DataFrame, fitted: FittedReference) -> None:
    rows = scored_rows(1_000, seed=1)
    plain = evaluate_chunk(fit_reference(reference, PLAIN), PLAIN, rows)
    assert _segment(evaluate_chunk(fitted, BY_PLAN, rows), None) == plain


def test_a_segment_without_rows_has_no_data(fitted: FittedReference) -> None:
    segment = _segment(evaluate_chunk(fitted, BY_PLAN, scored_rows(1_000).query("plan != 'pro'")), "plan=pro")
    assert len(segment) == len(fitted.bounds)
    assert {(r.value, r.rows, r.state, r.reason) for r in segment} == {
        (None, 0, State.NO_DATA, "no rows in this chunk")
    }


def test_a_value_that_the_reference_has_not(fitted: FittedReference) -> None:
    rows = scored_rows(1_000, seed=1).assign(plan="gold")
    segment = _segment(evaluate_chunk(fitted, BY_PLAN, rows), "plan=gold")
    assert len(segment) == len(fitted.bounds)
    reason = "the reference has no rows with plan=gold"
    assert {(r.value, r.rows, r.state, r.reason) for r in segment} == {(None, 1_000, State.INSUFFICIENT, reason)}


def test_only_the_most_frequent_new_values_are_listed(fitted: FittedReference) -> None:
    rows = scored_rows(1_000, seed=1)
    rows["plan"] = [f"new{min(row, 99):02d}" for row in range(1_000)]
    names = {r.segment for r in evaluate_chunk(fitted, BY_PLAN, rows) if r.segment}
    assert len(names) == 3 + 50
    assert {"plan=new99", "plan=new00", "plan=new48"} <= names
    assert "plan=new49" not in names


@pytest.mark.slow
def test_a_segment_too_small_in_the_reference_says_so(reference: pd.DataFrame) -> None:
    rare = reference.assign(plan=reference["plan"].where(reference["id"] >= 60, "rare"))
    fitted = fit_reference(rare, BY_PLAN)
    rows = scored_rows(1_000, seed=1).assign(plan="rare")
    stored = FittedReference.from_json(fitted.to_json())
    for segment in (_segment(evaluate_chunk(fit, BY_PLAN, rows), "plan=rare") for fit in (fitted, stored)):
        assert {r.reason for r in segment} == {
            "the reference has 60 rows with plan=rare, fewer than the minimum of 100"
        }
        assert {(r.value, r.state) for r in segment} == {(None, State.INSUFFICIENT)}


@pytest.mark.slow
def test_a_segment_with_one_class_can_be_fitted(reference: pd.DataFrame) -> None:
    sure = reference.assign(label=reference["label"].mask(reference["plan"] == "pro", 0))
    results = evaluate_chunk(fit_reference(sure, BY_PLAN), BY_PLAN, scored_rows(3_000, seed=1))
    for result in _segment(results, "plan=pro"):
        if result.kind is ResultKind.ESTIMATED:
            assert result.value is None
            assert result.reason
        if result.kind is ResultKind.DRIFT:
            assert result.value is not None


def test_rows_without_a_value_are_in_no_segment(fitted: FittedReference) -> None:
    rows = scored_rows(1_000, seed=1).assign(plan=None)
    counts = [r for r in evaluate_chunk(fitted, BY_PLAN, rows) if r.method == Quality.ROW_COUNT]
    assert [(r.segment, r.value) for r in counts] == [
        (None, 1_000.0),
        ("plan=basic", None),
        ("plan=plus", None),
        ("plan=pro", None),
    ]


def test_too_many_values_are_refused_by_name_and_number(reference: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="plan has 73 values in the reference, more than the 50"):
        fit_reference(reference.assign(plan=reference["id"] % 73), BY_PLAN)


def test_a_reference_without_these_segments_is_refused(reference: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="not fitted for segments of plan; fit it again"):
        evaluate_chunk(fit_reference(reference, PLAIN), BY_PLAN, scored_rows(500))


def test_segments_do_not_speak_in_the_verdict() -> None:
    good_result = realized(0.5)
    bad = replace(realized(0.01, bounds=Bounds(lower=0.4, alert_lower=0.3)), segment="plan=pro")
    for results in ((bad, good_result), (good_result, bad)):
        facts = chunk(*results)
        assert facts.performance(ResultKind.REALIZED, Metric.F1) == good_result
        assert verdict_of(ONE_METRIC, facts) == verdict_of(ONE_METRIC, chunk(good_result))
    assert good_result.subject == MODEL


@pytest.fixture(scope="module")
def small() -> FittedReference:
    return fit_reference(scored_rows(900, days=6), LOOSE)


@st.composite
def chunks(draw: st.DrawFn) -> pd.DataFrame:
    rows = scored_rows(draw(st.integers(0, 60)), seed=draw(st.integers(0, 99)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    rows["plan"] = rows["plan"].astype(object).mask(rng.random(len(rows)) < 0.3, draw(st.sampled_from(["new", None])))
    return rows


LAW = settings(max_examples=FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _same(first: tuple[Result, ...], second: tuple[Result, ...]) -> None:
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        assert (a.segment, a.subject, a.method, a.rows, a.state) == (b.segment, b.subject, b.method, b.rows, b.state)
        assert a.value == (None if b.value is None else pytest.approx(b.value, rel=1e-12, abs=1e-14)), (a, b)


@pytest.mark.slow
@LAW
@given(chunks(), st.integers(0, 99))
def test_a_chunk_is_the_merge_of_its_parts_in_any_order(small: FittedReference, rows: pd.DataFrame, seed: int) -> None:
    part = np.random.default_rng(seed).integers(0, 3, len(rows))
    parts = [summarize_chunk(small, LOOSE, rows[part == number]) for number in range(3)]
    at_once = evaluate_chunk(small, LOOSE, rows.sample(frac=1, random_state=seed))
    for ordered in permutations(parts):
        _same(finish_chunk(small, LOOSE, reduce(Summary.merge, ordered)), at_once)
    _same(finish_chunk(small, LOOSE, parts[0].merge(parts[1].merge(parts[2]))), at_once)


@pytest.mark.slow
@LAW
@given(chunks())
def test_a_stored_reference_says_the_same(small: FittedReference, rows: pd.DataFrame) -> None:
    stored = FittedReference.from_json(small.to_json())
    assert stored.to_json() == small.to_json()
    assert evaluate_chunk(stored, LOOSE, rows) == evaluate_chunk(small, LOOSE, rows)


@pytest.mark.slow
def test_a_reference_does_not_depend_on_the_order_of_its_rows() -> None:
    rows = scored_rows(900, days=6)
    shuffled = fit_reference(rows.sample(frac=1, random_state=1), LOOSE)
    assert shuffled.to_json() == fit_reference(rows, LOOSE).to_json()
