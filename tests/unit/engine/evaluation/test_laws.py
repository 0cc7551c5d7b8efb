"""What must hold whatever the rows are: a chunk is the sum of its parts, and order says nothing."""

from dataclasses import replace
from functools import reduce
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftline.engine.catalogue import COLUMN_METHODS, ColumnKind
from driftline.engine.computation.fitted_methods import Summary
from driftline.engine.evaluation.evaluate import evaluate_chunk, finish_chunk, summarize_chunk
from driftline.engine.evaluation.reference import FittedReference, fit_reference
from driftline.engine.results import Result
from tests.unit.engine.frame_builders import SPEC, scored_rows
from tests.unit.example_counts import FEW

LOOSE = SPEC.model_copy(
    update={
        "minimum_rows": 2,
        "minimum_class_rows": 1,
        "continuous_methods": COLUMN_METHODS[ColumnKind.CONTINUOUS],
        "categorical_methods": COLUMN_METHODS[ColumnKind.CATEGORICAL],
    }
)
"""Every drift method of a column, also on a few rows."""
NUMBERS = ("value", "p_value", "effect", "sampling_error")
STRAY = st.sampled_from([0.0, 1.0, -3.0, 1e6, float("nan"), float("inf")])


@pytest.fixture(scope="module", params=[1_200, 10_600], ids=["exact", "binned"])
def fitted(request: pytest.FixtureRequest) -> FittedReference:
    return fit_reference(scored_rows(request.param, days=12), LOOSE)


@st.composite
def chunks(draw: st.DrawFn) -> pd.DataFrame:
    """A chunk of up to 60 rows with strays, ties, unseen categories, and labels and scores that are missing."""
    rows = scored_rows(draw(st.integers(0, 60)), seed=draw(st.integers(0, 99)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    rows["usage"] = rows["usage"].mask(rng.random(len(rows)) < 0.3, draw(STRAY))
    rows["plan"] = rows["plan"].astype(object).mask(rng.random(len(rows)) < 0.2, draw(st.sampled_from(["new", None])))
    rows["label"] = rows["label"].mask(rng.random(len(rows)) < draw(st.sampled_from([0, 0.3, 1])))
    rows["probability_1"] = rows["probability_1"].mask(rng.random(len(rows)) < draw(st.sampled_from([0, 0.3])))
    return rows


def _but_numbers(result: Result) -> Result:
    return replace(result, value=None, p_value=None, effect=None, sampling_error=None)


def _same(first: tuple[Result, ...], second: tuple[Result, ...]) -> None:
    for a, b in zip(first, second, strict=True):
        assert _but_numbers(a) == _but_numbers(b)
        for name in NUMBERS:
            x, y = getattr(a, name), getattr(b, name)
            assert x == (None if y is None else pytest.approx(y, rel=1e-12, abs=1e-15)), (name, a, b)


LAW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.slow
@LAW
@given(chunks(), st.integers(0, 99))
def test_a_chunk_is_the_merge_of_its_parts_in_any_order(fitted: FittedReference, rows: pd.DataFrame, seed: int) -> None:
    part = np.random.default_rng(seed).integers(0, 3, len(rows))
    parts = [summarize_chunk(fitted, LOOSE, rows[part == number]) for number in range(3)]
    at_once = evaluate_chunk(fitted, LOOSE, rows)
    for ordered in permutations(parts):
        _same(finish_chunk(fitted, LOOSE, reduce(Summary.merge, ordered)), at_once)
    right = parts[0].merge(parts[1].merge(parts[2]))
    _same(finish_chunk(fitted, LOOSE, right), at_once)


@pytest.mark.slow
@LAW
@given(chunks(), st.integers(0, 99))
def test_the_order_of_rows_changes_nothing(fitted: FittedReference, rows: pd.DataFrame, seed: int) -> None:
    _same(evaluate_chunk(fitted, LOOSE, rows.sample(frac=1, random_state=seed)), evaluate_chunk(fitted, LOOSE, rows))


@LAW
@given(chunks())
def test_no_value_is_ever_without_reason_nor_other_than_finite(fitted: FittedReference, rows: pd.DataFrame) -> None:
    for result in evaluate_chunk(fitted, LOOSE, rows):
        if result.value is None:
            assert result.reason
            assert result.state not in {"ok", "warn", "alert"}
        numbers = (result.value, result.p_value, result.effect, result.sampling_error)
        assert all(type(number) is float and np.isfinite(number) for number in numbers if number is not None)


@pytest.mark.slow
@LAW
@given(chunks())
def test_a_stored_reference_says_the_same(fitted: FittedReference, rows: pd.DataFrame) -> None:
    stored = FittedReference.from_json(fitted.to_json())
    assert stored.to_json() == fitted.to_json()
    assert evaluate_chunk(stored, LOOSE, rows) == evaluate_chunk(fitted, LOOSE, rows)


@settings(max_examples=FEW)
@given(st.integers(0, 99))
def test_a_reference_does_not_depend_on_the_order_of_its_rows(seed: int) -> None:
    rows = scored_rows(600, days=6)
    assert (
        fit_reference(rows.sample(frac=1, random_state=seed), LOOSE).to_json() == fit_reference(rows, LOOSE).to_json()
    )
