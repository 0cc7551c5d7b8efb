"""A planted change is found where it was planted: in its bin, its category, its segment."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.engine.evaluation.evaluate import finish_chunk, summarize_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.localization import OTHER_CATEGORIES, Contribution, localize, localize_by_segment
from driftline.engine.results import PREDICTION, Method, ResultKind
from driftline.errors import InvalidInput
from tests.unit.engine.frame_builders import SPEC, scored_rows
from tests.unit.example_counts import FEW

BY_PLAN = SPEC.model_copy(update={"segments": ("plan",), "minimum_rows": 2, "minimum_class_rows": 1})


@pytest.fixture(scope="module")
def fitted() -> FittedReference:
    return fit_reference(scored_rows(4_000, days=4), BY_PLAN)


def _located(fitted: FittedReference, rows: pd.DataFrame, column: str) -> tuple[Contribution, ...]:
    return localize(fitted, BY_PLAN, summarize_chunk(fitted, BY_PLAN, rows), column)


def _by_plan(fitted: FittedReference, rows: pd.DataFrame, column: str) -> dict[str, Contribution]:
    parts = localize_by_segment(fitted, BY_PLAN, summarize_chunk(fitted, BY_PLAN, rows), column, "plan")
    assert [localized.share for localized in parts] == sorted((localized.share for localized in parts), reverse=True)
    assert sum(localized.share for localized in parts) == pytest.approx(1, abs=1e-12)
    return {localized.part: localized for localized in parts}


def test_a_pile_of_values_is_found_in_its_bin(fitted: FittedReference) -> None:
    rows = scored_rows(1_000, seed=1)
    first = _located(fitted, rows.assign(usage=rows["usage"].mask(rows["id"] < 300, 333.0)), "usage")[0]
    assert first.lower is not None
    assert first.upper is not None
    assert first.lower <= 333 < first.upper
    assert first.part == f"[{first.lower:.6g}, {first.upper:.6g})"
    assert first.share > 0.8
    assert first.chunk - first.reference == pytest.approx(0.3, abs=0.03)


def test_values_beyond_the_bins_come_together(fitted: FittedReference) -> None:
    rows = scored_rows(1_000, seed=1)
    first = _located(fitted, rows.assign(calls=rows["calls"].mask(rows["id"] < 300, 1e6)), "calls")[0]
    assert (first.part, first.lower, first.upper, first.reference, first.chunk) == (
        OTHER_CATEGORIES,
        None,
        None,
        0.0,
        0.3,
    )


def test_categories_are_named(fitted: FittedReference) -> None:
    rows = scored_rows(1_000, seed=1)
    moved = _located(fitted, rows.assign(plan=rows["plan"].mask(rows["id"] < 400, "pro")), "plan")
    assert moved[0].part == "pro"
    assert {localized.part for localized in moved} == {"basic", "plus", "pro", OTHER_CATEGORIES}
    new = _located(fitted, rows.assign(plan=rows["plan"].mask(rows["id"] < 400, "gold")), "plan")
    assert (new[0].part, new[0].chunk) == (OTHER_CATEGORIES, 0.4)


def test_the_parts_are_those_of_the_distance(fitted: FittedReference) -> None:
    rows = scored_rows(500, seed=3).assign(usage=lambda r: r["usage"] * 1.5)
    summary = summarize_chunk(fitted, BY_PLAN, rows)
    for column in ("usage", "calls", "plan", PREDICTION, "probability_1"):
        parts = localize(fitted, BY_PLAN, summary, column)
        assert sum(localized.share for localized in parts) == pytest.approx(1, abs=1e-12)
        assert sum(localized.chunk for localized in parts) == pytest.approx(1, abs=1e-12)
        present = [localized for localized in parts if localized.reference and localized.chunk]
        squared = sum(
            (p * np.log2(2 * p / (p + q)) + q * np.log2(2 * q / (p + q))) / 2
            for p, q in ((localized.reference, localized.chunk) for localized in present)
        ) + sum((localized.reference + localized.chunk) / 2 for localized in parts if localized not in present)
        distance = next(
            r.value
            for r in finish_chunk(fitted, BY_PLAN, summary)
            if (r.subject, r.kind, r.method, r.segment) == (column, ResultKind.DRIFT, Method.JENSEN_SHANNON, None)
        )
        assert distance == pytest.approx(np.sqrt(squared), rel=1e-9)


def test_the_segment_whose_rows_changed_is_found(fitted: FittedReference) -> None:
    rows = scored_rows(3_000, seed=1)
    changed = rows.assign(calls=rows["calls"].mask(rows["plan"] == "pro", rows["calls"] + 9))
    parts = _by_plan(fitted, changed, "calls")
    assert next(iter(parts)) == "plan=pro"
    assert parts["plan=pro"].share > 0.9
    assert parts["plan=pro"].reference == pytest.approx(0.1, abs=0.02)
    assert abs(parts["plan: other rows"].share) < 1e-12


def test_a_segment_that_grew_is_found() -> None:
    """Its rows are as ever; there are more of them."""
    reference = scored_rows(4_000, days=4).assign(usage=lambda r: r["usage"].fillna(1) + 500 * (r["plan"] == "pro"))
    fitted = fit_reference(reference, BY_PLAN)
    rows = scored_rows(3_000, seed=1).assign(usage=lambda r: r["usage"].fillna(1) + 500 * (r["plan"] == "pro"))
    parts = _by_plan(fitted, pd.concat([rows, rows[rows["plan"] == "pro"], rows[rows["plan"] == "pro"]]), "usage")
    assert next(iter(parts)) == "plan=pro"
    assert parts["plan=pro"].chunk > 2 * parts["plan=pro"].reference


def test_rows_of_a_new_segment_come_together(fitted: FittedReference) -> None:
    rows = scored_rows(1_000, seed=1)
    new = rows["id"] < 300
    changed = rows.assign(plan=rows["plan"].mask(new, "gold"), calls=rows["calls"].mask(new, 40.0))
    parts = _by_plan(fitted, changed, "calls")
    assert next(iter(parts)) == "plan: other rows"
    assert parts["plan: other rows"].chunk == 0.3


def test_nothing_to_locate(fitted: FittedReference) -> None:
    reference = scored_rows(4_000, days=4)
    assert _located(fitted, reference, "usage") == ()
    assert _located(fitted, reference.assign(usage=np.nan), "usage") == ()
    summary = summarize_chunk(fitted, BY_PLAN, reference)
    assert localize_by_segment(fitted, BY_PLAN, summary, "usage", "plan") == ()


def test_what_cannot_be_located_says_what_can(fitted: FittedReference) -> None:
    summary = summarize_chunk(fitted, BY_PLAN, scored_rows(100))
    with pytest.raises(InvalidInput, match="localized for jensen_shannon only, not for wasserstein"):
        localize(fitted, BY_PLAN, summary, "usage", Method.WASSERSTEIN)
    with pytest.raises(InvalidInput, match="'age' is not watched; watched are usage, calls, plan"):
        localize(fitted, BY_PLAN, summary, "age")
    with pytest.raises(InvalidInput, match="region is not among the segments; the spec's segments are plan"):
        localize_by_segment(fitted, BY_PLAN, summary, "usage", "region")
    other = BY_PLAN.model_copy(update={"continuous_methods": (Method.WASSERSTEIN,)})
    without = fit_reference(scored_rows(400, days=4), other)
    with pytest.raises(InvalidInput, match="not fitted for jensen_shannon of usage; add it"):
        localize(without, other, summarize_chunk(without, other, scored_rows(100)), "usage")


@settings(max_examples=FEW, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 200), st.integers(0, 99), st.integers(0, 200))
def test_parts_locate_what_the_whole_does(fitted: FittedReference, rows: int, seed: int, cut: int) -> None:
    chunk = scored_rows(rows, seed=seed)
    stored = FittedReference.from_json(fitted.to_json())
    at_once = summarize_chunk(fitted, BY_PLAN, chunk.sample(frac=1, random_state=seed))
    merged = summarize_chunk(stored, BY_PLAN, chunk[cut:]).merge(summarize_chunk(stored, BY_PLAN, chunk[:cut]))
    for column in ("usage", "plan"):
        assert localize(stored, BY_PLAN, merged, column) == localize(fitted, BY_PLAN, at_once, column)
        by_segment = [localize_by_segment(fitted, BY_PLAN, summary, column, "plan") for summary in (merged, at_once)]
        assert by_segment[0] == by_segment[1]
        total = 1 if chunk[column].notna().any() else 0
        assert sum(localized.share for localized in by_segment[0]) == pytest.approx(total, abs=1e-9)
